/**
 * `npm run bench:grpc [-- --json] [--workers 0,2] [--envs 64] [--part NAME] [--python PATH]`: what the service costs. A
 * client (this process), a server (`ccpark serve`) and an echo server of grpc-js alone, on one machine. Everything that is compared is
 * run in turns, five times; ratios are medians over the turns, and of low percentiles too, since other work on the machine
 * moves the means. An echo carries as many bytes each way as the messages it is compared with.
 *
 * Parts: round-trip (one environment, unary and stream), throughput (many environments, simulation included), memory (the
 * server's, over a million environment steps), python (256 environments; with --python, an interpreter that has `ccpark`).
 */
import { cpus, loadavg } from "node:os";
import { raiseInliningBudget } from "../../../core/v8-inlining.ts";
import { UNLIMITED } from "../../../scenarios/links.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { DEFAULT_ENV_OPTIONS } from "../../options.ts";
import { makeVectorEnv } from "../../vector/local-vector-env.ts";
import { connectVectorEnv, type RemoteVectorEnv } from "../client.ts";
import {
  ConnectRequest,
  ConnectResponse,
  StepRequest,
  StepResponse,
} from "../generated/ccpark/v1/environment.ts";
import { EchoClient, type EchoSize } from "./echo-client.ts";
import {
  type Contender,
  interleave,
  median,
  type Results,
  ratios,
  summarise,
  type Times,
  timeCalls,
  timeRoundTrips,
} from "./loops.ts";
import { scriptOptions, wholeNumbers } from "./options.ts";
import { type ServerProcess, startEchoServer, startEnvServer } from "./processes.ts";
import { runPython } from "./python.ts";

const RUNS = 5;
const WINDOW_MS = 700;
/** After fewer, V8 still compiles the simulator, and takes its time from the server. */
const WARM_ROUND_TRIPS = 10_000;
/** One BDP (200 packets) and a small queue. */
const CWND_PACKETS = 220;
/** One ACK in a few steps: next to nothing is simulated, what is left is the service. */
const IDLE_PACKETS = 2;
const STEP_MS = 10;
const OPTIONS = { action: "absolute", stepMs: STEP_MS } as const;
/** ACKs come back over an unlimited link, the simulator's default. */
raiseInliningBudget(); // as `ccpark serve` and its threads do

const PRESET = "park-paper";
const DURATION_SEC = 5;
const SCENARIO = { ...getScenario(PRESET), reverse: UNLIMITED, durationSec: DURATION_SEC };
/** The same by its name: the server knows what it costs, and steps it on the thread that serves. */
const BY_NAME = { ...OPTIONS, scenario: PRESET, durationSec: DURATION_SEC };

const PARTS = ["round-trip", "throughput", "memory", "python"];
const { values: flags } = scriptOptions("bench:grpc", {
  json: { type: "boolean", what: "a row of JSON each" },
  workers: { type: "string", what: "threads of the server, several separated by commas", default: "0" },
  envs: { type: "string", what: "environments at once, several separated by commas", default: "64" },
  python: { type: "string", what: "an interpreter that has `ccpark`" },
  part: { type: "string", what: "which", among: PARTS, default: PARTS.join(",") },
});
const [workerCounts, envCounts] = [
  wholeNumbers("workers", flags.workers, 0),
  wholeNumbers("envs", flags.envs, 1),
];

function print(row: Readonly<Record<string, string | number>>): void {
  if (flags.json) {
    console.log(JSON.stringify(row));
    return;
  }
  const text = ([key, value]: [string, string | number]): string =>
    `${key} ${typeof value === "string" || Number.isInteger(value) ? value : value.toPrecision(4)}`;
  console.log(Object.entries(row).map(text).join("  "));
}

/** An action for all rows; that window keeps the link full. */
function windowOf(rows: number, width: number, packets = CWND_PACKETS): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, k) => (k % width === 0 ? packets : 0));
}

const connect = (
  server: ServerProcess,
  numEnvs: number,
  transport: "stream" | "unary",
): Promise<RemoteVectorEnv> =>
  connectVectorEnv({ address: server.address, kwargs: BY_NAME, numEnvs, transport });

/** The same scenario as the client's own, which the server steps in a thread of the session's own. */
const connectOwn = (server: ServerProcess): Promise<RemoteVectorEnv> =>
  connectVectorEnv({
    address: server.address,
    scenario: SCENARIO,
    kwargs: OPTIONS,
    numEnvs: 1,
    transport: "stream",
  });

/** Sums over episodes, to show that the link was busy. */
class Work {
  #episodes = 0;
  #utilisation = 0;
  #goodputMbps = 0;

  add(ended: readonly { readonly utilisation: number; readonly goodputMbps: number }[]): void {
    for (const { utilisation, goodputMbps } of ended) {
      this.#episodes += 1;
      this.#utilisation += utilisation;
      this.#goodputMbps += goodputMbps;
    }
  }

  get row(): { readonly utilisation: number; readonly packetsPerStep: number } {
    return {
      utilisation: this.#utilisation / this.#episodes,
      packetsPerStep: ((this.#goodputMbps / this.#episodes) * 125 * STEP_MS) / 1448,
    };
  }
}

/** Messages of a session, to count their bytes. */
interface Sizes {
  readonly unary: Omit<EchoSize, "handOffs">;
  readonly stream: Omit<EchoSize, "handOffs">;
}

function sizesOf(env: RemoteVectorEnv): Sizes {
  const rows = env.numEnvs;
  const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1);
  const ids = "0".repeat(36); // a UUID
  const request: StepRequest = {
    sessionId: "",
    sessionToken: "",
    seq: 1_000n,
    actions: [bytes(rows * env.actionSpace.shape[0] * 4)],
    actionValues: [],
  };
  const answer = StepResponse.fromPartial({
    seq: 1_000n,
    observations: [bytes(env.observations.byteLength)],
    rewards: bytes(rows * 8),
    terminated: bytes(rows),
    truncated: bytes(rows),
  });
  const length = (message: { finish(): Uint8Array }): number => message.finish().length;
  return {
    unary: {
      requestBytes: length(StepRequest.encode({ ...request, sessionId: ids, sessionToken: ids })),
      answerBytes: length(StepResponse.encode(answer)),
    },
    stream: {
      requestBytes: length(ConnectRequest.encode({ payload: { $case: "step", value: request } })),
      answerBytes: length(ConnectResponse.encode({ seq: 1_000n, payload: { $case: "step", value: answer } })),
    },
  };
}

function localStep(numEnvs: number): () => void {
  const vector = makeVectorEnv(SCENARIO, { ...DEFAULT_ENV_OPTIONS, ...OPTIONS }, numEnvs);
  const actions = windowOf(numEnvs, vector.actionSpace.shape[0]);
  vector.reset(1);
  return () => vector.step(actions);
}

function localContender(numEnvs: number): Contender {
  const step = localStep(numEnvs);
  return { name: "local", run: async (windowMs) => timeCalls(windowMs, step) };
}

/** One step after each round trip of an echo: the caches are as cold as a server's. Its times alone. */
function localBetween({ client }: Echo, size: EchoSize): Contender {
  const step = localStep(1);
  return {
    name: "local between echoes",
    async run(windowMs) {
      const times: number[] = [];
      await client.stream(size, windowMs, () => {
        const began = performance.now();
        step();
        times.push((performance.now() - began) * 1e3);
      });
      return times;
    },
  };
}

/** @param depth steps under way at a time; times are between answers then */
function remoteContender(
  name: string,
  env: RemoteVectorEnv,
  options: { work: Work; serverCpuUs: () => number; depth?: number; packets?: number },
): Contender {
  const { work, serverCpuUs, depth = 1, packets } = options;
  const actions = windowOf(env.numEnvs, env.actionSpace.shape[0], packets);
  const one = async (): Promise<void> => {
    await env.step(actions);
    work.add(env.endedEpisodes);
  };
  const ahead = async (): Promise<void> => {
    await env.receive();
    work.add(env.endedEpisodes);
    env.send(actions);
  };
  return {
    name,
    serverCpuUs,
    async run(windowMs) {
      if (depth === 1) return timeRoundTrips(windowMs, one);
      for (let i = 0; i < depth; i++) env.send(actions);
      const times = await timeRoundTrips(windowMs, ahead);
      for (let i = 0; i < depth; i++) await env.receive();
      return times;
    },
  };
}

function echoContender(
  name: string,
  echo: Echo,
  run: (client: EchoClient, windowMs: number) => Promise<Times>,
): Contender {
  return { name, serverCpuUs: echo.server.cpuUs, run: (windowMs) => run(echo.client, windowMs) };
}

interface Echo {
  readonly server: ServerProcess;
  readonly client: EchoClient;
}

async function roundTrips(server: ServerProcess, echo: Echo): Promise<void> {
  const work = new Work();
  const [unary, stream] = [await connect(server, 1, "unary"), await connect(server, 1, "stream")];
  const [idle, own] = [await connect(server, 1, "stream"), await connectOwn(server)];
  for (const env of [unary, stream, idle, own]) await env.reset(1);
  const sizes = sizesOf(stream);
  const results = await interleave(
    [
      echoContender("echo unary", echo, (client, ms) => client.unary({ ...sizes.unary, handOffs: 0 }, ms)),
      remoteContender("step unary", unary, { work, serverCpuUs: server.cpuUs }),
      echoContender("echo stream", echo, (client, ms) => client.stream({ ...sizes.stream, handOffs: 0 }, ms)),
      remoteContender("step stream", stream, { work, serverCpuUs: server.cpuUs }),
      remoteContender("step stream, idle link", idle, {
        work: new Work(),
        serverCpuUs: server.cpuUs,
        packets: IDLE_PACKETS,
      }),
      remoteContender("step stream, scenario of the client's own", own, { work, serverCpuUs: server.cpuUs }),
      localContender(1),
      localBetween(echo, { ...sizes.stream, handOffs: 0 }),
    ],
    RUNS,
    WINDOW_MS,
    WARM_ROUND_TRIPS,
  );
  // the processor's time of the second holds the echoes, too
  const simulation = {
    ...summarise(results.get("local between echoes")!),
    cpuUs: summarise(results.get("local")!).cpuUs,
  };
  for (const [name, windows] of results) print({ part: "round-trip", what: name, ...summarise(windows) });
  for (const kind of ["unary", "stream"] as const) {
    const [step, raw] = [results.get(`step ${kind}`)!, results.get(`echo ${kind}`)!];
    const { requestBytes, answerBytes } = sizes[kind];
    const row = { part: "ratio", what: kind, requestBytes, answerBytes };
    print({ ...row, of: "step / echo", ...ratios(step, raw, undefined) });
    print({ ...row, of: "(step - simulation) / echo", ...ratios(step, raw, simulation) });
  }
  print({
    part: "ratio",
    what: "stream",
    of: "step of an idle link / echo",
    ...ratios(results.get("step stream, idle link")!, results.get("echo stream")!, undefined),
  });
  for (const env of [unary, stream, idle, own]) await env.close();
}

/** Steps under way: one half of a batch is stepped while the answer to the other travels. */
const DEPTH = 2;

async function throughput(
  server: ServerProcess,
  workers: number,
  numEnvs: number,
  echo: Echo,
): Promise<void> {
  const work = new Work();
  const [one, two] = [await connect(server, numEnvs, "stream"), await connect(server, numEnvs, "stream")];
  await one.reset(1);
  await two.reset(1);
  const size: EchoSize = { ...sizesOf(one).stream, handOffs: workers };
  const results = await interleave(
    [
      echoContender("echo", echo, (client, ms) => client.stream(size, ms)),
      remoteContender("step", one, { work, serverCpuUs: server.cpuUs }),
      remoteContender(`step, ${DEPTH} under way`, two, { work, serverCpuUs: server.cpuUs, depth: DEPTH }),
      localContender(numEnvs),
    ],
    RUNS,
    WINDOW_MS * 2,
    100, // of all environments each
  );
  const row = { part: "throughput", workers };
  printRates(row, numEnvs, results);
  const { requestBytes, answerBytes } = size;
  print({ ...row, what: "episodes", ...work.row, requestBytes, answerBytes });
  await one.close();
  await two.close();
}

function printRates(row: Readonly<Record<string, string | number>>, numEnvs: number, results: Results): void {
  for (const [what, windows] of results) {
    const summary = summarise(windows);
    print({
      ...row,
      what,
      envs: numEnvs,
      envStepsPerSec: Math.round(summary.perSec * numEnvs),
      medianEnvStepsPerSec: Math.round((1e6 / summary.p50Us) * numEnvs),
      quietEnvStepsPerSec: Math.round((1e6 / summary.p10Us) * numEnvs),
      ...summary,
    });
  }
}

const PYTHON_ENVS = 256;

async function fromPython(python: string, server: ServerProcess, workers: number, echo: Echo): Promise<void> {
  const env = await connect(server, PYTHON_ENVS, "stream");
  const size = sizesOf(env).stream;
  await env.close();
  const { results, utilisation } = await runPython(python, {
    address: server.address,
    echoAddress: echo.server.address,
    scenario: SCENARIO,
    options: { action: OPTIONS.action, step_ms: STEP_MS },
    numEnvs: PYTHON_ENVS,
    cwndPackets: CWND_PACKETS,
    ...size,
    handOffs: workers,
    depths: [1, DEPTH],
    runs: RUNS,
    windowMs: WINDOW_MS * 2,
  });
  const row = { part: "python", workers };
  printRates(row, PYTHON_ENVS, results);
  print({ ...row, what: "episodes", utilisation, ...size });
}

async function memory(server: ServerProcess): Promise<void> {
  const numEnvs = 8;
  const steps = 1_000_000;
  const env = await connect(server, numEnvs, "stream");
  const actions = windowOf(numEnvs, env.actionSpace.shape[0]);
  await env.reset(1);
  for (let i = 0; i < DEPTH; i++) env.send(actions);
  const seen: number[] = [];
  for (let done = numEnvs; done <= steps; done += numEnvs) {
    await env.receive();
    env.send(actions);
    if (done % (steps / 10) !== 0) continue;
    seen.push(server.memoryMb());
    print({ part: "memory", envSteps: done, serverMb: seen.at(-1)! });
  }
  const [early, late] = [seen.slice(1, 5), seen.slice(-4)];
  print({ part: "memory", growthMb: median(late) - median(early), after: "the first 100,000 steps" });
  await env.close();
}

const parts = new Set(flags.part.split(","));
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(" ");
print({
  machine: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  node: process.version,
  load: load(),
  placement: "client, server and echo server: a process each, not pinned, over 127.0.0.1",
});
const echoServer = await startEchoServer();
const echo: Echo = { server: echoServer, client: new EchoClient(echoServer.address) };
try {
  for (const workers of workerCounts) {
    const server = await startEnvServer(workers);
    try {
      if (workers === 0 && parts.has("round-trip")) await roundTrips(server, echo);
      if (parts.has("throughput")) {
        for (const numEnvs of envCounts) {
          await throughput(server, workers, numEnvs, echo);
        }
      }
      if (flags.python !== undefined && parts.has("python")) {
        await fromPython(flags.python, server, workers, echo);
      }
      if (workers === 0 && parts.has("memory")) await memory(server);
    } finally {
      server.stop();
    }
  }
} finally {
  echo.client.close();
  echoServer.stop();
}
print({ load: load() });
