import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { saveCheckpoint } from "../../agents/checkpoint-files.ts";
import { Ppo } from "../../agents/ppo.ts";
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { FlowHandle } from "../../flows/handle.ts";
import { describeEnv } from "../../training/described-env.ts";
import { makeFolders, outcomeOf, runCli, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();

type Line = Readonly<Record<string, unknown>>;
const parseLines = (text: string): Line[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** The agent in a process of its own; resolves when it listens. */
async function startAgent(folder: string, args: readonly string[]) {
  const socket = join(folder, "agent");
  const child = startCli(["agent", "--socket", socket, "--json", "--duration", "30", ...args]);
  const outcome = outcomeOf(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("close", () => reject(new Error("the agent did not start")));
  });
  return { child, outcome, socket };
}

/** A datapath that opens flows, waits until each has its program, and closes it unless it is kept. */
async function openFlows(
  folder: string,
  agent: string,
  flows: readonly { dstPort: number; algorithmName?: string }[],
  { areKept = false } = {},
) {
  let datapath: CcpDatapath | undefined;
  const socket = await openUnixDatagram({
    path: join(folder, "datapath"),
    onMessage: (bytes) => datapath?.receive(bytes),
  });
  const made = new CcpDatapath({
    send: (bytes) => (socket.send(bytes, agent) === "sent" ? 0 : -1),
    nowUs: 0,
  });
  datapath = made;
  for (const flow of flows) {
    const { flowId } = made.openFlow({ initCwndBytes: 14_480, mssBytes: 1448, ...flow }, 0);
    for (let i = 0; i < 2000 && made.flow(flowId).programUid === undefined; i++) {
      socket.receiveNow(5);
      made.invoke(made.flow(flowId), 1);
    }
    expect(made.flow(flowId).programUid).toBeDefined();
    if (!areKept) made.closeFlow(flowId, 2);
  }
  return socket;
}

/** A policy from another learner. */
const ONNX = `onnx:${fileURLToPath(new URL("../golden/onnx/policy.onnx", import.meta.url))}`;

/** Command lines start slowly on a busy machine. */
const TIMEOUT_MS = 40_000;

describe("ccpark agent", { timeout: TIMEOUT_MS }, () => {
  it.concurrent("chooses algorithms by name, by rule and by default, policies among them; Ctrl-C ends it cleanly", async () => {
    const folder = makeFolder();
    const checkpoint = join(folder, "policy.ckpt");
    const env = DEFAULT_ENV_OPTIONS;
    const spaces = {
      observationSpace: getObservation(env.observation).space,
      actionSpace: getAction(env.action).space,
    };
    const description = describeEnv({ env, episodeSec: 1 });
    saveCheckpoint(checkpoint, new Ppo({ ...spaces, seed: 1, env: description }).checkpoint());
    const names = [
      "--algorithm",
      `reno,cubic,zoo:quickstart,${ONNX}`,
      "--default",
      "cubic",
      "--checkpoint",
      checkpoint,
    ];
    const { child, outcome, socket } = await startAgent(folder, [
      ...[...names, "--rule", "dst-port:5001=policy", "--rule", "dst-port:5002=zoo:quickstart"],
      ...["--rule", `dst-port:5003=${ONNX}`],
    ]);
    const datapath = await openFlows(folder, socket, [
      { dstPort: 5001 },
      { dstPort: 80 },
      { dstPort: 5001, algorithmName: "reno" },
      { dstPort: 5002 },
      { dstPort: 5003 },
    ]);
    for (let i = 0; i < 3; i++) datapath.send(Uint8Array.of(1, 2, 3), socket);
    setTimeout(() => child.kill("SIGINT"), 200);
    const { code, stdout, stderr } = await outcome;
    datapath.close();
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(existsSync(socket)).toBe(false);
    const lines = parseLines(stdout);
    expect(lines[0]).toMatchObject({
      event: "listening",
      algorithms: ["cubic", "reno", "zoo:quickstart", ONNX, "policy"],
    });
    const opened = lines.filter((line) => line["event"] === "opened");
    const chosen = opened.map((line) => line["algorithm"]);
    expect(chosen).toEqual(["policy", "cubic", "reno", "zoo:quickstart", ONNX]);
    expect(lines.filter((line) => line["event"] === "malformed")).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ event: "ended", malformed: 3, flows: 0 });
  });

  it.concurrent("takes changes of live flows by message, and answers each", async () => {
    const folder = makeFolder();
    const control = join(folder, "control");
    const { child, outcome, socket } = await startAgent(folder, [
      ...["--algorithm", "dtl:priority=0", "--control", control],
    ]);
    let datapath: CcpDatapath | undefined;
    const flows = await openUnixDatagram({
      path: join(folder, "datapath"),
      onMessage: (bytes) => datapath?.receive(bytes),
    });
    const made = new CcpDatapath({
      send: (bytes) => (flows.send(bytes, socket) === "sent" ? 0 : -1),
      nowUs: 0,
    });
    datapath = made;
    const { flowId } = made.openFlow({ initCwndBytes: 14_480, mssBytes: 1448 }, 0);
    for (let i = 0; i < 2000 && made.flow(flowId).programUid === undefined; i++) {
      flows.receiveNow(5);
      made.invoke(made.flow(flowId), 1);
    }
    const answers: unknown[] = [];
    const owner = await openUnixDatagram({
      path: join(folder, "owner"),
      onMessage: (bytes) => answers.push(JSON.parse(new TextDecoder().decode(bytes))),
    });
    const ask = (text: string): unknown => {
      const before = answers.length;
      owner.send(new TextEncoder().encode(text), control);
      for (let i = 0; i < 2000 && answers.length === before; i++) owner.receiveNow(5);
      return answers.at(-1);
    };
    expect(ask('{"params":{"priority":2}}')).toEqual({ flows: 1 });
    expect(ask(`{"params":{"priority":3},"flow":${flowId}}`)).toEqual({ flows: 1 });
    expect(ask('{"params":{"priority":3},"flow":99}')).toEqual({ flows: 0 });
    expect(ask('{"params":{"priority":1000}}')).toEqual({
      error: expect.stringContaining("priority: got 1000, expected a whole number from 0 to 64"),
    });
    expect(ask("nonsense")).toEqual({ error: expect.stringContaining("got what is no JSON") });
    expect(ask('{"params":{}}')).toEqual({ error: "[agent] control: params: is empty" });
    const { list } = ask('{"list":"*/1"}') as { readonly list: readonly { readonly handle: string }[] };
    const name = `${join(folder, "datapath")}/${flowId}`;
    expect(list).toMatchObject([{ name, flowId, algorithm: expect.stringContaining("dtl") }]);
    const { handle } = list[0]!;
    expect(`${FlowHandle.parse(handle)}`).toBe(handle);
    expect(ask(`{"list":"${handle}"}`)).toEqual({ list, total: 1 });
    expect(ask('{"list":"nobody"}')).toEqual({ list: [], total: 0 });
    expect(ask(`{"params":{"priority":4},"handle":"${handle}"}`)).toEqual({ flows: 1 });
    expect(ask(`{"params":{"priority":4},"handle":"0${handle.slice(1, -1)}0"}`)).toEqual({
      error: expect.stringContaining("[flows] no flow "),
    });
    expect(ask(`{"params":{"priority":4},"handle":"${handle}","flow":1}`)).toEqual({
      error: "[agent] control: expected `handle`, or `flow` and `datapath`",
    });
    for (const strange of ['{"flow":1}', '{"list":"*","flow":1}', `{"list":"*","kill":"${handle}"}`]) {
      const given = Object.keys(JSON.parse(strange)).join(", ");
      expect(ask(strange)).toEqual({
        error: expect.stringContaining(`[agent] control: got ${given}, expected { params: `),
      });
    }
    owner.close();
    flows.close();
    child.kill("SIGINT");
    const { stdout } = await outcome;
    const said = parseLines(stdout).filter(({ event }) => event === "control");
    expect(said[0]).toEqual({ event: "control", flows: 1, message: "priority=2 for 1 flows" });
    expect(said).toHaveLength(12);
    const opened = parseLines(stdout).find(({ event }) => event === "opened");
    expect(opened).toMatchObject({ handle });
  });

  it("lets flows be watched, to whose datapath it makes no difference, and gives them up", {
    timeout: 3 * TIMEOUT_MS,
  }, async () => {
    const folder = makeFolder();
    const control = join(folder, "control");
    const { child, outcome, socket } = await startAgent(folder, [
      ...["--algorithm", "reno", "--control", control, "--duration", "110"],
    ]);
    let datapath: CcpDatapath | undefined;
    /** what the agent has told each flow, without its id */
    const told = new Map<number, string[]>();
    const flows = await openUnixDatagram({
      path: join(folder, "datapath"),
      onMessage: (bytes) => {
        const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
        const rest = Buffer.from([...bytes.subarray(0, 4), ...bytes.subarray(8)]).toString("hex");
        told.set(id, [...(told.get(id) ?? []), rest]);
        datapath?.receive(bytes);
      },
    });
    const made = new CcpDatapath({
      send: (bytes) => (flows.send(bytes, socket) === "sent" ? 0 : -1),
      nowUs: 0,
    });
    datapath = made;
    const ids = [1, 2].map(() => {
      const { flowId } = made.openFlow({ initCwndBytes: 14_480, mssBytes: 1448 }, 0);
      for (let i = 0; i < 2000 && made.flow(flowId).programUid === undefined; i++) {
        flows.receiveNow(5);
        made.invoke(made.flow(flowId), 1);
      }
      return flowId;
    });
    const at = ["--agent", control];
    const list = async (...args: readonly string[]): Promise<Line[]> => {
      const { code, stdout, stderr } = await runCli(["flows", "list", ...args, ...at, "--json"]);
      expect([code, stderr]).toEqual([0, ""]);
      return parseLines(stdout);
    };
    const both = await list();
    expect(both).toMatchObject(
      ids.map((flowId) => ({
        flowId,
        algorithm: "reno",
        observers: 0,
        name: `${folder}/datapath/${flowId}`,
      })),
    );
    const handle = String(both[0]!["handle"]);
    expect(await list("--scope", "host", "--of", handle)).toEqual(both);
    const table = await runCli(["flows", "list", `*/${ids[0]}`, ...at]);
    expect(table.stdout).toMatch(new RegExp(`^handle .*algorithm\n${handle} .* 0  reno\n$`));
    const watching = startCli([
      "flows",
      "watch",
      handle,
      ...at,
      "--json",
      "--band",
      "fault,measurement,control",
    ]);
    const watched = outcomeOf(watching);
    await expect
      .poll(async () => (await list(handle))[0]!["observers"], { timeout: TIMEOUT_MS, interval: 300 })
      .toBe(1);
    for (let step = 1; step <= 60; step++) {
      for (const flowId of ids) {
        const lost = step === 40 ? 1 : 0;
        made.setPrimitives(flowId, {
          ...{ "Ack.bytes_acked": 1448, "Flow.rtt_sample_us": 10_000, "Flow.bytes_in_flight": 14_480 },
          "Ack.lost_pkts_sample": lost,
        });
        made.invoke(made.flow(flowId), step * 2_000);
      }
      flows.receiveNow(20);
      flows.receiveNow(1);
    }
    for (let i = 0; i < 20; i++) flows.receiveNow(20);
    const kill = await runCli(["flows", "kill", handle, ...at]);
    expect(kill).toMatchObject({ code: 0, stdout: `killed ${handle}  ${both[0]!["name"]}\n`, stderr: "" });
    const { code, stdout } = await watched;
    expect(code).toBe(0);
    const reports = parseLines(stdout);
    expect(new Set(reports.map((each) => each["flow"]))).toEqual(new Set([handle]));
    const of = (band: string): Line[] =>
      reports.filter((each) => each["band"] === band).map((each) => each["body"] as Line);
    expect(of("measurement").length).toBeGreaterThan(2);
    expect(of("measurement")[0]).toMatchObject({ program: expect.any(String), values: expect.any(Object) });
    expect(of("fault").length).toBeGreaterThan(0);
    expect(of("fault").length).toBeLessThan(of("measurement").length);
    // a loss is answered in the agent
    expect(of("control").some(({ fields }) => (fields as Line)["Cwnd"] !== undefined)).toBe(true);
    // the other flow, which nobody watches, was told the same
    const [mine, other] = ids.map((id) => told.get(id)!);
    expect(mine!.length).toBeGreaterThan(1);
    expect(mine).toEqual(other);
    expect(await list()).toMatchObject([{ flowId: ids[1], observers: 0 }]);
    const gone = await runCli(["flows", "watch", handle, ...at]);
    expect([gone.code, gone.stderr]).toEqual([
      2,
      `error: [flows] no flow ${handle}: it has ended, or never was here\n`,
    ]);
    for (const [args, sentence] of [
      [["watch", String((await list())[0]!["handle"]), "--band", "truth"], "which an agent does not know"],
      [["move", handle], "an agent owns no links"],
      [["list", "--limit", "5"], "--limit: an agent lists 100"],
      [["list", "--port", "5"], "got both --agent and --port"],
    ] as const) {
      const refused = await runCli(["flows", ...args, ...at]);
      expect([refused.code, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toContain(sentence);
    }
    flows.close();
    child.kill("SIGINT");
    const closed = parseLines((await outcome).stdout).filter(({ event }) => event === "closed");
    expect(closed).toMatchObject([{ flowId: ids[0], handle }]);
    const nobody = await runCli(["flows", "list", ...at]);
    expect([nobody.code, nobody.stdout]).toEqual([1, ""]);
    expect(nobody.stderr).toContain(`nobody answers at ${control}`);
  });

  it("ends all flows that a pattern names, more than it lists at once", async () => {
    const folder = makeFolder();
    const control = join(folder, "control");
    const { child, outcome, socket } = await startAgent(folder, ["--control", control]);
    const flows = Array.from({ length: 103 }, (_, i) => ({ dstPort: i }));
    const datapath = await openFlows(folder, socket, flows, { areKept: true });
    const at = ["--agent", control];
    expect((await runCli(["flows", "list", ...at])).stderr).toBe("3 more; a pattern narrows it down\n");
    const killed = await runCli(["flows", "kill", "*/datapath/*", ...at]);
    expect([killed.code, killed.stderr, killed.stdout.trim().split("\n").length]).toEqual([0, "", 103]);
    expect((await runCli(["flows", "list", ...at])).stderr).toBe("no flows\n");
    datapath.close();
    child.kill("SIGINT");
    expect((await outcome).code).toBe(130);
  });

  it.concurrent("leaves a path alone where an agent listens or something else lies", async () => {
    const folder = makeFolder();
    const { child, outcome, socket } = await startAgent(folder, []);
    const second = await runCli(["agent", "--socket", socket]);
    expect(second).toMatchObject({ code: 2, stdout: "" });
    expect(second.stderr).toBe(
      `error: [ccp-ipc] somebody already listens on ${socket}; stop that agent or choose another socket\n`,
    );
    child.kill("SIGTERM");
    expect((await outcome).code).toBe(0);
    writeFileSync(join(folder, "notes"), "");
    expect((await runCli(["agent", "--socket", join(folder, "notes")])).stderr).toContain("is no socket");
  });

  it.concurrent("ends after its duration, on UDP alone too", async () => {
    const { code, stdout } = await runCli(["agent", "--udp", "0", "--duration", "0.1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^agent for reno on 127\.0\.0\.1:\d+; Ctrl-C stops\n/);
  });

  it.concurrent.each([
    [["--algorithm", "renoo"], "did you mean `reno`?"],
    [["--default", "cubic"], "unknown default algorithm `cubic`"],
    [["--rule", "dst-port:1=cubic"], "unknown algorithm of a rule `cubic`"],
    [["--rule", "port:1=reno"], "expected dst-port"],
    [["--checkpoint", "/nowhere/at/all"], "cannot read `/nowhere/at/all`"],
    [["--algorithm", "onnx:/nowhere.onnx"], "[onnx] `/nowhere.onnx`: no such file"],
  ])("says what is wrong with %j", async (args, sentence) => {
    const { code, stderr } = await runCli(["agent", "--udp", "0", "--duration", "1", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
