import { describe, expect, it } from "vitest";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm, FlowControl, FlowInfo } from "../../ccp-bridge/agent/algorithm.ts";
import { CompileError } from "../../ccp-bridge/lang/compile-error.ts";
import { decodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";
import { decodeInstall } from "../../ccp-bridge/wire/install.ts";
import { encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { encodeReady } from "../../ccp-bridge/wire/ready.ts";
import { decodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";
import { Rng } from "../../core/random.ts";
import { fromHex, loadVectors, toHex } from "./vectors.ts";

const SOURCE =
  "(def (Report (volatile a 0) (volatile b 0)) (c 0))(when true (:= Report.a Ack.bytes_acked) (report))";
const OTHER = "(def (Report (x 0)) (volatile v 1))(when true (:= Report.x v) (report))";

/** An algorithm that records what happens to it. */
function makeRecorder(name: string, start = (control: FlowControl) => control.setProgram("first")) {
  const log: string[] = [];
  const controls: FlowControl[] = [];
  const infos: FlowInfo[] = [];
  const algorithm: CcpAlgorithm = {
    name,
    programs: { first: SOURCE, second: OTHER },
    newFlow(control, info) {
      controls.push(control);
      infos.push(info);
      start(control);
      return {
        onReport: (report) => {
          const value = report.programName === "first" ? report.get("a") : report.get("Report.x");
          log.push(`${info.flowId} ${report.programName} ${value} at ${report.nowUs}`);
        },
        onClose: () => log.push(`${info.flowId} closed`),
      };
    },
  };
  return { algorithm, log, controls, infos };
}

const makeCreate = (flowId: number, algorithmName = "") =>
  encodeCreate({
    flowId,
    initCwndBytes: 14_480,
    mssBytes: 1448,
    srcIp: 1,
    srcPort: 2,
    dstIp: 3,
    dstPort: 4,
    algorithmName,
  });
const makeReport = (flowId: number, programUid: number, ...fields: bigint[]) =>
  encodeMeasure({ flowId, programUid, fields });

function makeAgent(...algorithms: CcpAlgorithm[]) {
  const sent: { to: string; message: Uint8Array }[] = [];
  const agent = new CcpAgent({ algorithms, send: (message, to) => sent.push({ to, message }) });
  return { agent, sent };
}

describe("a wake", () => {
  const makeSleeper = () => {
    const scheduled: { atUs: number; run: (nowUs: number) => void }[] = [];
    const wakes: number[] = [];
    const controls: FlowControl[] = [];
    const agent = new CcpAgent({
      algorithms: [
        {
          name: "sleeper",
          programs: { first: SOURCE },
          newFlow(control) {
            controls.push(control);
            control.setProgram("first");
            return { onReport: () => {}, onWake: (nowUs) => wakes.push(nowUs) };
          },
        },
      ],
      send: () => {},
      hosting: () => ({ schedule: (atUs, run) => scheduled.push({ atUs, run }) }),
    });
    agent.receive(makeCreate(1), "datapath", 0);
    const goTo = (untilUs: number): void => {
      for (;;) {
        scheduled.sort((a, b) => a.atUs - b.atUs);
        if (scheduled.length === 0 || scheduled[0]!.atUs > untilUs) return;
        const { atUs, run } = scheduled.shift()!;
        run(atUs);
      }
    };
    return { agent, control: controls[0]!, wakes, goTo };
  };

  it("comes once, at the time asked for last", () => {
    const { control, wakes, goTo } = makeSleeper();
    control.wakeAt(100);
    control.wakeAt(50);
    control.wakeAt(100);
    goTo(99);
    expect(wakes).toEqual([]);
    control.wakeAt(300);
    control.wakeAt(200);
    goTo(1000);
    expect(wakes).toEqual([200]);
  });

  it("can be cancelled, and does not come after the flow has closed", () => {
    const { agent, control, wakes, goTo } = makeSleeper();
    control.wakeAt(100);
    control.wakeAt(undefined);
    goTo(200);
    control.wakeAt(300);
    agent.receive(makeReport(1, 0), "datapath", 250);
    control.wakeAt(400);
    goTo(1000);
    expect(wakes).toEqual([]);
  });

  it("needs a host with a clock, and a time", () => {
    const recorder = makeRecorder("one");
    const { agent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    expect(() => recorder.controls[0]!.wakeAt(1)).toThrow("has no clock to wake by");
    expect(() => makeSleeper().control.wakeAt(Number.NaN)).toThrow("got NaN, expected a time");
  });
});

describe("an agent", () => {
  it("tells an algorithm the flow's host and weight, and gives each flow draws of its own", () => {
    const recorder = makeRecorder("one");
    const { agent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "here", 0);
    agent.receive(makeCreate(2), "here", 0);
    const [first, second] = recorder.infos;
    expect(first).toMatchObject({ host: "here", weight: 1 });
    expect(first!.rng.next()).not.toBe(second!.rng.next());
    const again = makeRecorder("one");
    makeAgent(again.algorithm).agent.receive(makeCreate(1), "here", 0);
    expect(again.infos[0]!.rng.next()).toBe(Rng.fromSeed(0).fork("flow.0").next());
  });

  it("answers ready with its programs, number 1 first", () => {
    const { agent, sent } = makeAgent(makeRecorder("one").algorithm);
    agent.receive(encodeReady({ datapathId: 7 }), "datapath", 0);
    expect(sent.map(({ message }) => decodeInstall(message).programUid)).toEqual([1, 2]);
  });

  it("answers create of an unknown datapath with its programs, then with a program for the flow", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(5), "datapath", 42);
    expect(sent.map(({ message }) => message[0])).toEqual([2, 2, 4]);
    expect(decodeChangeProg(sent[2]!.message)).toEqual({ flowId: 5, programUid: 1, updates: [] });
    expect(recorder.infos[0]).toMatchObject({ flowId: 5, initCwndBytes: 14_480, mssBytes: 1448, nowUs: 42 });
    agent.receive(makeCreate(6), "datapath", 43);
    expect(sent.length).toBe(4);
  });

  it("chooses the algorithm by the name in create, else the first", () => {
    const one = makeRecorder("one");
    const two = makeRecorder("two");
    const { agent } = makeAgent(one.algorithm, two.algorithm);
    agent.receive(makeCreate(1, "two"), "datapath", 0);
    agent.receive(makeCreate(2, "reno"), "datapath", 0);
    expect([one.infos.length, two.infos.length]).toEqual([1, 1]);
  });

  it("keeps programs of the same name of two algorithms apart", () => {
    const one = makeRecorder("one");
    const two = makeRecorder("two");
    const { agent, sent } = makeAgent(one.algorithm, two.algorithm);
    agent.receive(makeCreate(1, "two"), "datapath", 0);
    expect(decodeChangeProg(sent.at(-1)!.message).programUid).toBe(3);
  });

  it("keeps flows of the same id on two datapaths apart", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "here", 0);
    agent.receive(makeCreate(1), "there", 0);
    recorder.controls[1]!.updateFields({ Cwnd: 3 });
    expect(sent.at(-1)!.to).toBe("there");
    agent.receive(makeReport(1, 1, 5n, 6n), "there", 9);
    expect(agent.flowCount).toBe(2);
    expect(recorder.log).toEqual(["1 first 5 at 9"]);
  });

  it("drops reports of a program that the flow no longer runs, and of unknown flows", () => {
    const recorder = makeRecorder("one");
    const { agent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    recorder.controls[0]!.setProgram("second");
    agent.receive(makeReport(1, 1, 5n, 6n), "datapath", 1);
    agent.receive(makeReport(1, 2, 7n), "datapath", 2);
    agent.receive(makeReport(9, 2, 7n), "datapath", 3);
    agent.receive(makeReport(1, 2, 7n), "elsewhere", 4);
    expect(recorder.log).toEqual(["1 second 7 at 2"]);
    expect(agent.counters).toEqual({ reports: 1, malformed: 0, unknownFlow: 2, stale: 1 });
  });

  it("closes a flow at a report without fields, at a new create of its id, and when its datapath restarts", () => {
    const recorder = makeRecorder("one");
    const { agent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    agent.receive(makeCreate(1), "datapath", 1);
    agent.receive(makeReport(1, 0), "datapath", 2);
    agent.receive(makeReport(1, 0), "datapath", 3);
    agent.receive(makeCreate(2), "datapath", 4);
    agent.receive(encodeReady({ datapathId: 0 }), "datapath", 5);
    expect(recorder.log).toEqual(["1 closed", "1 closed", "2 closed"]);
    expect(agent.flowCount).toBe(0);
  });

  it("sends nothing for a flow that is closed", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    agent.receive(makeReport(1, 0), "datapath", 1);
    const before = sent.length;
    recorder.controls[0]!.updateFields({ Cwnd: 1 });
    expect(sent.length).toBe(before);
  });

  it("counts malformed messages and lives on", () => {
    const recorder = makeRecorder("one");
    const { agent } = makeAgent(recorder.algorithm);
    const bad = [
      "",
      "0100",
      "0100070001000000", // length below a header
      "0100ff0001000000", // length above the datagram
      "010008000100000000", // report without body, then a torn header
      "01001b00010000000100000001000000050000000000000078797a", // half a field
      "000020000100000090380000a805000001000000020000000300000004000000", // create without a name
      "03000c000100000000000000", // a message for datapaths
      "ff00080001000000",
    ];
    for (const hex of bad) agent.receive(fromHex(hex), "datapath", 0);
    const notUtf8 = makeCreate(1);
    notUtf8[32] = 0xff;
    agent.receive(notUtf8, "datapath", 0);
    expect(agent.counters.malformed).toBeGreaterThanOrEqual(bad.length + 1);
    agent.receive(makeCreate(1), "datapath", 0);
    agent.receive(makeReport(1, 1, 5n, 6n), "datapath", 1);
    expect(recorder.log).toEqual(["1 first 5 at 1"]);
  });

  it("reads several messages of one datagram", () => {
    const recorder = makeRecorder("one");
    const { agent } = makeAgent(recorder.algorithm);
    const parts = [makeCreate(1), makeReport(1, 1, 5n, 0n), makeReport(1, 1, 2n ** 40n, 0n)];
    agent.receive(new Uint8Array(Buffer.concat(parts)), "datapath", 1);
    expect(recorder.log).toEqual(["1 first 5 at 1", `1 first ${2 ** 40} at 1`]);
  });

  it("sends control variables, Cwnd and Rate with the registers of the current program", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    recorder.controls[0]!.setProgram("second", { v: 2 ** 53, Rate: 7 });
    expect(decodeChangeProg(sent.at(-1)!.message)).toEqual({
      flowId: 1,
      programUid: 2,
      updates: [
        { registerType: 8, index: 0, value: 2n ** 53n },
        { registerType: 2, index: 5, value: 7n },
      ],
    });
    recorder.controls[0]!.updateFields({ Cwnd: 14_480 });
    expect(decodeUpdateField(sent.at(-1)!.message).updates).toEqual([
      { registerType: 2, index: 4, value: 14_480n },
    ]);
  });

  it("finds the fields of one update after another in any order, of another number and of another program; of none it sends none", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    const control = recorder.controls[0]!;
    const places = (fields: Readonly<Record<string, number>>): string[] => {
      control.updateFields(fields);
      const { updates } = decodeUpdateField(sent.at(-1)!.message);
      return updates.map(({ registerType, index, value }) => `${registerType} ${index} ${value}`);
    };
    expect(places({ c: 1, Cwnd: 2, Rate: 3 })).toEqual(["0 0 1", "2 4 2", "2 5 3"]);
    expect(places({ Cwnd: 4, c: 5 })).toEqual(["2 4 4", "0 0 5"]);
    expect(places({ Cwnd: 6, c: 7, Rate: 8 })).toEqual(["2 4 6", "0 0 7", "2 5 8"]);
    control.setProgram("second");
    expect(() => places({ Cwnd: 1, c: 2 })).toThrow(/unknown field of program `second`/);
    expect(places({ Cwnd: 9, v: 10 })).toEqual(["2 4 9", "8 0 10"]);
    control.setProgram("first");
    expect(places({ Cwnd: 11, c: 12 })).toEqual(["2 4 11", "0 0 12"]);
    const before = sent.length;
    control.updateFields({});
    expect(sent.length).toBe(before);
  });

  it("sets window and rate, rounded to whole bytes, with the bytes of the longer way; no rate is none", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    const control = recorder.controls[0]!;
    control.updateFields({ Cwnd: 14_480, Rate: 2 ** 40 });
    control.setWindow(14_479.6, 2 ** 40 + 0.3);
    expect(toHex(sent.at(-1)!.message)).toBe(toHex(sent.at(-2)!.message));
    control.updateFields({ Cwnd: 14_480 });
    control.setWindow(14_480, 0);
    expect(toHex(sent.at(-1)!.message)).toBe(toHex(sent.at(-2)!.message));
    const before = sent.length;
    for (const value of [-1, Number.NaN, 2 ** 64]) {
      expect(() => control.setWindow(value, 0)).toThrow(/cwnd: got .*, expected a number from 0/);
      expect(() => control.setWindow(1, value)).toThrow(/rate: got .*, expected a number from 0/);
    }
    expect(sent.length).toBe(before);
  });

  it("refuses unknown programs and fields, report variables, Micros, reserved names and odd values, and sends nothing", () => {
    const recorder = makeRecorder("one");
    const { agent, sent } = makeAgent(recorder.algorithm);
    agent.receive(makeCreate(1), "datapath", 0);
    const control = recorder.controls[0]!;
    const before = sent.length;
    expect(() => control.setProgram("frist")).toThrow(/did you mean `first`/);
    expect(() => control.updateFields({ Cwmd: 1 })).toThrow(/did you mean `Cwnd`/);
    expect(() => control.updateFields({ "Report.a": 1 })).toThrow(/report variable/);
    expect(() => control.updateFields({ Micros: 1 })).toThrow(/only control variables/);
    expect(() => control.updateFields({ __eventFlag: 1 })).toThrow(/unknown/);
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64]) {
      expect(() => control.updateFields({ c: value })).toThrow(/whole number/);
    }
    expect(sent.length).toBe(before);
  });

  it("says which report variables there are when an algorithm asks for another", () => {
    const errors: unknown[] = [];
    const { agent } = makeAgent({
      name: "curious",
      programs: { only: SOURCE },
      newFlow: (control) => {
        control.setProgram("only");
        return {
          onReport: (report) => {
            for (const name of ["Report.aa", "b"]) {
              try {
                report.get(name);
              } catch (error) {
                errors.push((error as Error).message);
              }
            }
          },
        };
      },
    });
    agent.receive(makeCreate(1), "datapath", 0);
    agent.receive(makeReport(1, 1, 5n), "datapath", 0);
    expect(errors).toEqual([
      expect.stringContaining("did you mean `Report.a`?"),
      expect.stringContaining("was not in the report"),
    ]);
  });

  it("refuses at the start a program that does not compile, two algorithms of one name, and none", () => {
    const broken = { ...makeRecorder("one").algorithm, programs: { bad: "(def)(when (x) (report))" } };
    expect(() => makeAgent(broken)).toThrow(CompileError);
    const { algorithm } = makeRecorder("one");
    expect(() => makeAgent(algorithm, algorithm)).toThrow(/two algorithms/);
    expect(() => makeAgent()).toThrow(/needs an algorithm/);
  });
});

const vectors = loadVectors();

describe.skipIf(vectors === undefined)("datagrams sent to a Portus agent", () => {
  /** Where Portus died of a message, ours must only survive it. */
  const dialogues = (vectors?.agent ?? []).filter((one) => one.steps !== undefined);
  for (const dialogue of dialogues) {
    it(`are answered with the same bytes, or survived: ${dialogue.name}`, () => {
      const recorder = makeRecorder("itest");
      const algorithm = { ...recorder.algorithm, programs: { first: SOURCE } };
      const { agent, sent } = makeAgent(algorithm);
      const dead = dialogue.steps.findIndex((step) => "send_error" in step);
      const alive = dead < 0 ? dialogue.steps : dialogue.steps.slice(0, dead);
      for (const step of alive) {
        sent.length = 0;
        agent.receive(fromHex(step.send), "datapath", 0);
        if (!("send_error" in step)) expect(sent.map(({ message }) => toHex(message))).toEqual(step.replies);
      }
    });
  }
});
