import { describe, expect, it } from "vitest";
import { CcpDatapath, type CcpDatapathOptions, SEND_FULL } from "../../ccp-bridge/datapath/datapath.ts";
import { OwnArena } from "../../ccp-bridge/datapath/register-arena.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { decodeCreate } from "../../ccp-bridge/wire/create.ts";
import type { FieldUpdate } from "../../ccp-bridge/wire/field-update.ts";
import { encodeInstall, markRefill } from "../../ccp-bridge/wire/install.ts";
import { decodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { encodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";

const CWND = { registerType: 2, index: 4 } as const;
const RATE = { registerType: 2, index: 5 } as const;
const FLOW = { initCwndBytes: 14_480, mssBytes: 1448 };
const SOURCE = `(def (Report (c 0) (r 0) (k 0)) (knob 3))
(when true (:= Report.c Cwnd) (:= Report.r Rate) (:= Report.k knob) (report))`;
const SILENT = "(def (x 0))(when true (:= x 1))";

function makeDatapath(options: Partial<CcpDatapathOptions> = {}) {
  const sent: Uint8Array[] = [];
  const state = { result: 0 };
  const datapath = new CcpDatapath({
    nowUs: 0,
    send: (message) => {
      sent.push(message.slice());
      return state.result;
    },
    ...options,
  });
  const install = (uid: number, source = SOURCE) =>
    datapath.receive(encodeInstall(uid, compileProgram(source, {}, { mode: "libccp" })));
  const change = (flowId: number, programUid: number, ...updates: FieldUpdate[]) =>
    datapath.receive(encodeChangeProg({ flowId, programUid, updates }));
  const update = (flowId: number, ...updates: FieldUpdate[]) =>
    datapath.receive(encodeUpdateField({ flowId, updates }));
  const lastReport = () => [...decodeMeasure(sent.at(-1)!).fields];
  const types = () => sent.splice(0).map((message) => message[0]);
  return { datapath, sent, state, install, change, update, lastReport, types };
}

describe("a strict datapath", () => {
  it("keeps Cwnd and Rate that were staged before a program change, where libccp drops them", () => {
    for (const mode of ["strict", "libccp"] as const) {
      const { datapath, install, change, update, lastReport } = makeDatapath({ mode });
      const flow = datapath.openFlow(FLOW, 0);
      install(1);
      update(1, { ...CWND, value: 5000 }, { ...RATE, value: 7 }, { registerType: 0, index: 0, value: 9 });
      change(1, 1);
      datapath.invoke(flow, 1);
      expect(lastReport(), mode).toEqual(mode === "strict" ? [5000n, 7n, 3n] : [0n, 0n, 3n]);
    }
  });

  it("does not cut window and rate to 32 bits, where libccp does", () => {
    const value = 2 ** 32 + 5;
    for (const mode of ["strict", "libccp"] as const) {
      const { datapath, install, change, lastReport } = makeDatapath({ mode });
      const flow = datapath.openFlow(FLOW, 0);
      install(1);
      change(1, 1, { ...RATE, value });
      datapath.invoke(flow, 1);
      datapath.invoke(flow, 2);
      expect(lastReport()[1], mode).toBe(mode === "strict" ? BigInt(value) : 5n);
    }
  });

  it("uses every slot of its program table, and a refused program takes none", () => {
    const { datapath, install, change } = makeDatapath({ maxPrograms: 3 });
    expect(install(2, "(def (x 0))(when true (report))")).toBe(-44);
    for (const uid of [2, 3, 4]) {
      expect(install(uid)).toBe(0);
      datapath.openFlow(FLOW, 0);
      expect(change(uid - 1, uid)).toBe(0);
    }
    expect(install(5)).toBe(-81);
    const libccp = makeDatapath({ maxPrograms: 3, mode: "libccp" });
    expect([2, 3, 4].map((uid) => libccp.install(uid))).toEqual([0, 0, -81]);
  });

  it("evicts the program that was chosen longest ago and that no flow runs", () => {
    const { datapath, install, change } = makeDatapath({ maxPrograms: 3 });
    const flow = datapath.openFlow(FLOW, 0);
    for (const uid of [2, 3, 4]) install(uid);
    change(1, 2);
    datapath.invoke(flow, 1);
    expect([install(5), install(6)]).toEqual([0, 0]);
    expect([3, 4].map((uid) => change(1, uid))).toEqual([8, 8]);
    expect(flow.programUid).toBe(2);
    expect([5, 6, 2].map((uid) => change(1, uid))).toEqual([0, 0, 0]);
  });

  it("keeps its programs and flows when an agent makes its table anew, where libccp empties it", () => {
    const refill = markRefill(encodeInstall(1, compileProgram(SOURCE)));
    for (const mode of ["strict", "libccp"] as const) {
      const { datapath, install, change, types } = makeDatapath({ mode });
      const flow = datapath.openFlow(FLOW, 0);
      install(1);
      install(2);
      change(1, 2);
      datapath.invoke(flow, 1);
      types();
      expect(datapath.receive(refill)).toBe(0);
      expect(datapath.tables.programs, mode).toBe(mode === "strict" ? 2 : 1);
      expect(datapath.invoke(flow, 2), mode).toBe(mode === "strict" ? 0 : -96);
      expect(types(), mode).toEqual(mode === "strict" ? [1] : []);
    }
  });

  it("announces running flows anew when a fresh agent installs its programs", () => {
    const { datapath, sent, install, change, types } = makeDatapath();
    const [one, two] = [datapath.openFlow(FLOW, 0), datapath.openFlow(FLOW, 0)];
    install(1);
    change(1, 1);
    change(2, 1);
    datapath.invoke(one, 1);
    datapath.invoke(two, 1);
    expect(types()).toEqual([5, 0, 0, 1, 1]);
    install(1, SILENT);
    expect(one.programUid).toBeUndefined();
    expect(datapath.invoke(one, 2)).toBe(0);
    expect(sent.map((message) => decodeCreate(message).flowId)).toEqual([1]);
    expect(datapath.invoke(one, 3)).toBe(-96);
    change(1, 1);
    expect(datapath.invoke(one, 4)).toBe(0);
    expect(one.programUid).toBe(1);
    datapath.invoke(two, 5);
    expect(types()).toEqual([0, 0]);
  });

  it("does not announce a flow twice while its agent is only answering the first create", () => {
    const types: number[] = [];
    const answers: Uint8Array[] = [
      encodeInstall(1, compileProgram(SOURCE)),
      encodeChangeProg({ flowId: 1, programUid: 1, updates: [] }),
    ];
    const { datapath } = makeDatapath({
      send: (message) => {
        types.push(message[0]!);
        if (message[0] === 0) for (const answer of answers) datapath.receive(answer);
        return 0;
      },
    });
    const flow = datapath.openFlow(FLOW, 0);
    datapath.invoke(flow, 0);
    expect(types).toEqual([5, 0, 1]);
  });

  it("asks every 100 ms for an agent while in fallback, where libccp stays silent", () => {
    for (const mode of ["strict", "libccp"] as const) {
      const { datapath, state, install, change, types } = makeDatapath({ mode, fallbackTimeoutUs: 1000 });
      const flow = datapath.openFlow(FLOW, 0);
      install(1);
      change(1, 1);
      state.result = -1;
      datapath.invoke(flow, 10_000);
      expect(datapath.invoke(flow, 11_000)).toBe(0);
      types();
      for (let nowUs = 200_000; nowUs <= 400_000; nowUs += 10_000) {
        expect(datapath.invoke(flow, nowUs)).toBe(-101);
      }
      expect(types(), mode).toEqual(mode === "strict" ? [5, 5, 5] : []);
      state.result = 0;
      expect(change(1, 1)).toBe(0);
      expect(datapath.invoke(flow, 500_000)).toBe(0);
    }
  });

  it("takes an agent whose queue was full for there once it takes messages again, one that was gone for lost", () => {
    const codeAfter = (mode: "strict" | "libccp", failure: number): number => {
      const { datapath, state, install, change } = makeDatapath({ mode, fallbackTimeoutUs: 1000 });
      const flow = datapath.openFlow(FLOW, 0);
      install(1);
      change(1, 1);
      state.result = failure;
      datapath.invoke(flow, 10_000);
      state.result = 0;
      datapath.invoke(flow, 10_500);
      return datapath.invoke(flow, 20_000);
    };
    expect(codeAfter("strict", SEND_FULL)).toBe(0);
    expect(codeAfter("strict", -1)).toBe(-101);
    expect(codeAfter("libccp", SEND_FULL)).toBe(-101);
  });

  it("falls back under an agent whose queue stays full", () => {
    const { datapath, state, install, change } = makeDatapath({ fallbackTimeoutUs: 1000 });
    const flow = datapath.openFlow(FLOW, 0);
    install(1);
    change(1, 1);
    state.result = SEND_FULL;
    datapath.invoke(flow, 10_000);
    datapath.invoke(flow, 10_500);
    expect(datapath.invoke(flow, 11_500)).toBe(-101);
  });

  it("announces a flow at once in a slot that was used a moment ago, where libccp waits 100 ms", () => {
    for (const mode of ["strict", "libccp"] as const) {
      const { datapath, types } = makeDatapath({ mode });
      datapath.openFlow(FLOW, 0);
      datapath.closeFlow(1, 50);
      types();
      datapath.openFlow(FLOW, 60);
      expect(types(), mode).toEqual(mode === "strict" ? [0] : []);
    }
  });
});

describe("any datapath", () => {
  it("refuses bad messages with libccp's codes and changes nothing", () => {
    const { datapath, install, change, update } = makeDatapath();
    datapath.openFlow(FLOW, 0);
    expect(datapath.receive(new Uint8Array(3))).toBe(-22);
    expect(update(9, { ...CWND, value: 1 })).toBe(-71);
    expect(change(1, 7)).toBe(8);
    expect(update(1, { registerType: 5, index: 0, value: 1 })).toBe(-53);
    expect(update(1, { registerType: 0, index: 110, value: 1 })).toBe(-53);
    const truncated = encodeInstall(1, compileProgram(SOURCE)).subarray(0, 40);
    truncated[2] = 40;
    truncated[3] = 0;
    expect(datapath.receive(truncated)).toBe(-22);
    const badEvent = encodeInstall(1, compileProgram(SOURCE));
    badEvent[24] = 200;
    expect(datapath.receive(badEvent)).toBe(-41);
    const badRead = encodeInstall(1, compileProgram(SOURCE));
    badRead[20 + 16 + 16 * 4 + 11] = 7;
    badRead[20 + 16 + 16 * 4 + 12] = 9;
    expect(datapath.receive(badRead)).toBe(-37);
    // the first instruction's registers: of a type that there is not, then read-only ones as result
    const first = 20 + 16;
    const types = (offset: number, type: number): number => {
      const message = encodeInstall(1, compileProgram(SOURCE));
      message[first + offset] = type;
      return datapath.receive(message);
    };
    expect([types(1, 9), types(6, 9), types(11, 9)]).toEqual([-35, -36, -37]);
    expect([types(1, 1), types(1, 4)]).toEqual([-34, -34]);
    expect(install(1)).toBe(0);
  });

  it("says -96 until a flow has a program, and keeps what is staged until the next ACK", () => {
    const { datapath, install, change, lastReport } = makeDatapath();
    const flow = datapath.openFlow(FLOW, 0);
    expect(datapath.invoke(flow, 1)).toBe(-96);
    install(1);
    change(1, 1, { ...CWND, value: 1 }, { ...CWND, value: 2 });
    expect(flow.programUid).toBeUndefined();
    datapath.invoke(flow, 2);
    expect(lastReport()).toEqual([2n, 0n, 3n]);
    expect(flow.reports).toBe(1);
  });

  it("gives each flow a zeroed block, however many there are, while the arena grows", () => {
    const arena = new OwnArena();
    const { datapath, install, change, lastReport } = makeDatapath({ arena });
    install(1);
    const flows = Array.from({ length: 100 }, () => datapath.openFlow(FLOW, 0));
    flows.forEach((flow, i) => {
      change(flow.flowId, 1, { registerType: 0, index: 0, value: i });
      datapath.setPrimitives(flow.flowId, { Cwnd: 1000 + i });
    });
    for (const [i, flow] of flows.entries()) {
      datapath.invoke(flow, 1);
      expect(lastReport()).toEqual([BigInt(1000 + i), 0n, BigInt(i)]);
      datapath.closeFlow(flow.flowId, 2);
    }
    const again = datapath.openFlow(FLOW, 3);
    expect(again.flowId).toBe(1);
    expect(datapath.registers(1).control.every((value) => value === 0n)).toBe(true);
    expect(() => datapath.flow(2)).toThrow(/no flow 2/);
  });

  it("reads a rate of 2^64 - 1 as what it is", () => {
    const { datapath, install, change, lastReport } = makeDatapath();
    const flow = datapath.openFlow(FLOW, 0);
    install(1);
    change(1, 1, { ...RATE, value: 2n ** 64n - 1n });
    for (let nowUs = 1; nowUs < 4; nowUs++) {
      datapath.invoke(flow, nowUs);
      expect(lastReport()[1]).toBe(2n ** 64n - 1n);
      change(1, 1);
    }
  });
});
