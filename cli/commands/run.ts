/** `ccpark run`: any command, with its TCP connections under an algorithm or a policy that runs in Linux; `ccpark watch`: such flows. */
import { type Command, Option } from "commander";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { MICROS_PER_MILLI, toMbps } from "../../core/units.ts";
import type { CommandEnd } from "../../testbeds/emulated/run-command.ts";
import type { Libc } from "../../testbeds/host/libc.ts";
import type { KernelDatapath } from "../../testbeds/linux/kernel-datapath.ts";
import type { KernelFlowFacts } from "../../testbeds/linux/slots.ts";
import { printErr, printOut } from "../console.ts";
import { oneScenario } from "../one-scenario.ts";
import { collect, MAX_SEED, parsePositive, parseWhole, SET_HELP } from "../options.ts";

interface RunCommandOptions {
  readonly algorithm: string;
  readonly flows?: string;
  readonly default?: true;
  readonly name: string;
  readonly fallbackMs: number;
  readonly scenario?: string;
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly seed: number;
  readonly serve?: string;
  readonly awake?: true;
  readonly json?: true;
  readonly quiet?: true;
}

const UNIX = "unix:";

/** An algorithm or a policy by reference. */
async function loadAlgorithm(reference: string): Promise<CcpAlgorithm> {
  const { loadedModules, referencedPolicy } = await import("../contenders.ts");
  const policy = await referencedPolicy(reference);
  if (policy !== undefined) return policy;
  const { makeAlgorithm, resolveAlgorithm } = await import("../../algorithms/reference.ts");
  const { controlAsAlgorithm } = await import("../../ccp-bridge/control-algorithm.ts");
  const resolved = resolveAlgorithm(reference, await loadedModules([reference]));
  const made = makeAlgorithm(resolved);
  return typeof made === "function" ? controlAsAlgorithm(resolved.label, made) : made;
}

/** What drives the connections, in this process or in another. */
interface Driver {
  readonly datapath: KernelDatapath;
  close(): void;
  /** what became of it */
  summary(): { readonly fields: Readonly<Record<string, unknown>>; readonly text: string };
}

async function run(command: readonly string[], options: RunCommandOptions): Promise<void> {
  const { CcparkError } = await import("../../core/errors.ts");
  const { loadLibc } = await import("../../testbeds/host/libc.ts");
  const { makeDefault } = await import("../../testbeds/linux/attach.ts");
  const { whyNoKernel } = await import("../../testbeds/linux/linux.ts");
  const why = whyNoKernel();
  if (why !== undefined) throw new CcparkError("failed-precondition", `[run] not here: ${why}`);
  const libc = await loadLibc();
  const isForeign = options.algorithm.startsWith(UNIX);
  const driver = isForeign ? await foreignDriver(libc, options) : await ownDriver(libc, options);
  const env = { ...process.env, CCPARK_CONGESTION: options.name };
  const undo: (() => unknown)[] = [() => driver.close()];
  let end: CommandEnd;
  try {
    if (options.awake === true) {
      const { keepAwake } = await import("../../testbeds/host/awake.ts");
      undo.push(keepAwake());
    }
    // running connections that a killed process of this name has left
    driver.datapath.adoptSockets();
    if (options.scenario === undefined) {
      const { runHere } = await import("../../testbeds/emulated/run-command.ts");
      if (options.default === true || options.flows !== undefined) undo.push(makeDefault(options.name));
      end = await runHere({ command, env });
    } else {
      const { runCommand } = await import("../../testbeds/emulated/run-command.ts");
      const { openLink } = await import("../../testbeds/emulated/open-link.ts");
      const scenario = await oneScenario({ ...options, scenario: options.scenario });
      const link = await openLink(scenario, options.seed);
      undo.push(() => link.close());
      for (const { namespace } of [link.client, link.server]) makeDefault(options.name, namespace);
      end = await runCommand(link, { command, serve: options.serve, env });
    }
    process.exitCode = end.exitCode;
    if (end.failure !== undefined) printErr(`ccpark run: ${command[0]}: ${end.failure}\n`);
  } finally {
    for (const back of undo.reverse()) await back();
    const { fields, text } = driver.summary();
    if (options.json === true) printOut(`${JSON.stringify(fields)}\n`);
    else if (options.quiet !== true) printErr(`${text}\n`);
  }
}

/** An algorithm or a policy in this process. */
async function ownDriver(libc: Libc, options: RunCommandOptions): Promise<Driver> {
  const { KernelAlgorithm } = await import("../../algorithms/kernel-algorithm.ts");
  const { compileAlgorithms } = await import("../../ccp-bridge/agent/program-set.ts");
  const { parseFlowSelector } = await import("../../ccp-bridge/agent/flow-rules.ts");
  const { CcparkError } = await import("../../core/errors.ts");
  const { defaultCongestionControl } = await import("../../testbeds/linux/attach.ts");
  const { LinuxAgent } = await import("../../testbeds/linux/linux-agent.ts");
  const algorithm = await loadAlgorithm(options.algorithm);
  if (algorithm instanceof KernelAlgorithm) {
    const expected = `expected an algorithm of ours: Linux's own need no agent (sysctl net.ipv4.tcp_congestion_control=${algorithm.kernelName})`;
    throw new CcparkError("invalid-argument", `[run] got ${algorithm.name}, ${expected}`);
  }
  let flows = 0;
  const errors: unknown[] = [];
  const agent = new LinuxAgent(libc, {
    name: options.name,
    set: compileAlgorithms([algorithm]),
    admits: options.flows === undefined ? undefined : parseFlowSelector(options.flows),
    other: defaultCongestionControl(),
    fallbackTimeoutUs: options.fallbackMs * MICROS_PER_MILLI,
    onEvent: ({ kind }) => {
      if (kind === "opened") flows += 1;
    },
    onError: (error) => errors.push(error),
  });
  const summary: Driver["summary"] = () => {
    const { latency } = agent;
    const quantileUs = (share: number): number => (latency.count === 0 ? 0 : latency.quantileUs(share));
    const latencyUs = { p50: quantileUs(0.5), p99: quantileUs(0.99) };
    const { reports } = agent.agent.counters;
    const failed =
      errors.length === 0 ? "" : `\n${errors.length} reports lost: the algorithm threw ${errors[0]}`;
    const seen = `${flows} connections, ${reports} reports, in the agent ${latencyUs.p50} us after their ACK in the median, ${latencyUs.p99} us in one of a hundred`;
    return {
      fields: { algorithm: algorithm.name, flows, ...agent.agent.counters, errors: errors.length, latencyUs },
      text: `${algorithm.name} in Linux: ${flows === 0 ? noConnection(options) : seen}${failed}`,
    };
  };
  return { datapath: agent.datapath, close: () => agent.close(), summary };
}

/** Why the algorithm may have had nothing to do. */
function noConnection({ flows, default: isDefault, scenario }: RunCommandOptions): string {
  if (flows !== undefined) return `no connection; none matched --flows ${flows}`;
  if (isDefault === true || scenario !== undefined) return "no connection; the command opened none over TCP";
  return "no connection; without --flows, --default or --scenario a program has to choose it by the name in CCPARK_CONGESTION (`iperf3 -C $CCPARK_CONGESTION`)";
}

/** An agent of another process: `unix:SOCKET:NAME`. */
async function foreignDriver(libc: Libc, options: RunCommandOptions): Promise<Driver> {
  const { openUnixDatagram } = await import("../../ccp-bridge/ipc/unix-datagram.ts");
  const { CcparkError } = await import("../../core/errors.ts");
  const { makeSocketLayout } = await import("../../envs/foreign-agent/socket-layout.ts");
  const { ForeignAgent } = await import("../../testbeds/linux/foreign-agent.ts");
  const [, socket, algorithmName] = /^unix:(.+):([^:]*)$/.exec(options.algorithm) ?? [];
  if (socket === undefined || algorithmName === undefined || options.flows !== undefined) {
    const expected =
      "expected unix:SOCKET:NAME, the agent's socket and the algorithm to ask it for, without --flows";
    throw new CcparkError("invalid-argument", `[run] got ${options.algorithm}, ${expected}`);
  }
  const layout = makeSocketLayout(socket);
  const agent = await ForeignAgent.open(libc, {
    name: options.name,
    transport: (onMessage) => openUnixDatagram({ path: layout.own, onMessage }),
    agent: layout.agent,
    algorithmName,
    fallbackTimeoutUs: options.fallbackMs * MICROS_PER_MILLI,
  });
  const close = (): void => {
    agent.close();
    layout.remove();
  };
  const summary: Driver["summary"] = () => {
    const { sent, failed, received, refused } = agent.counters;
    return {
      fields: { algorithm: options.algorithm, ...agent.counters },
      text: `${options.algorithm} in Linux: ${sent} messages to the agent (${failed} failed), ${received} from it (${refused} refused)`,
    };
  };
  return { datapath: agent.datapath, close, summary };
}

const ip = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");

interface WatchOptions {
  readonly every: number;
  readonly once?: true;
  readonly json?: true;
}

/** The differences of two looks, as a table. */
function rowOf(now: KernelFlowFacts, before: KernelFlowFacts | undefined, sec: number): string[] {
  const perSec = (of: (facts: KernelFlowFacts) => number): string =>
    before === undefined ? "" : ((of(now) - of(before)) / sec).toFixed(0);
  return [
    now.algorithm,
    `${ip(now.srcIp)}:${now.srcPort}`,
    `${ip(now.dstIp)}:${now.dstPort}`,
    now.runsProgram ? "program" : "native",
    `${(now.cwndBytes / 1000).toFixed(0)}`,
    now.rateBytesPerSec === 0 ? "" : toMbps(now.rateBytesPerSec).toFixed(2),
    (now.srttUs / MICROS_PER_MILLI).toFixed(2),
    perSec(({ acks }) => acks),
    perSec(({ reports }) => reports),
    `${now.lostReports}`,
    `${now.errors}`,
  ];
}

const HEAD = [
  "algorithm",
  "from",
  "to",
  "by",
  "cwnd kB",
  "rate Mbit/s",
  "srtt ms",
  "ACKs/s",
  "reports/s",
  "lost",
  "errors",
];

async function watch(options: WatchOptions): Promise<void> {
  const { default: Table } = await import("cli-table3");
  const { loadLibc } = await import("../../testbeds/host/libc.ts");
  const { flowsInKernel } = await import("../../testbeds/linux/slots.ts");
  const libc = await loadLibc();
  const keyOf = ({ algorithm, flowId }: KernelFlowFacts): string => `${algorithm} ${flowId}`;
  let before = new Map<string, KernelFlowFacts>();
  for (let i = 0; ; i++) {
    const flows = flowsInKernel(libc);
    if (options.json === true) {
      for (const flow of flows) printOut(`${JSON.stringify(flow)}\n`);
    } else if (flows.length === 0) {
      printOut("no connection under an algorithm of ours\n");
    } else {
      const table = new Table({ head: [...HEAD], style: { head: [], border: [] } });
      for (const flow of flows) table.push(rowOf(flow, before.get(keyOf(flow)), options.every));
      printOut(`${table.toString()}\n`);
    }
    if (options.once === true && i > 0) return;
    before = new Map(flows.map((flow) => [keyOf(flow), flow]));
    await new Promise((resolve) => setTimeout(resolve, 1000 * options.every));
  }
}

export function addRun(program: Command): void {
  program
    .command("run")
    .description(
      "run a command with its TCP connections under an algorithm or a policy, in Linux's kernel (root)",
    )
    .addOption(
      new Option(
        "--algorithm <reference>",
        "an algorithm (see `ccpark explain algorithms`), a policy (zoo:NAME, agent:FILE or onnx:FILE), or unix:SOCKET:NAME for an agent of another process",
      ).default("cubic"),
    )
    .option(
      "--flows <rule>",
      "only these, such as dport=5201 or dst=10.0.0.0/8,dport=443; others keep the default",
    )
    .option("--default", "all new connections of this network namespace, until the command ends")
    .addOption(new Option("--name <name>", "what sockets may choose it by").default("ccpark"))
    .addOption(
      new Option("--fallback-ms <ms>", "silence of the agent after which connections run natively")
        .argParser(parsePositive)
        .default(1000),
    )
    .option("--scenario <name>", "behind an emulated link, as `ccpark link` (then all connections are meant)")
    .option("--set <path=value>", SET_HELP, collect)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one (ccp-cell)")
    .addOption(
      new Option("--seed <n>", "draws what the scenario leaves to chance")
        .argParser(parseWhole(0, MAX_SEED))
        .default(1),
    )
    .option("--serve <command>", "for `sh -c` at the link's other end; ends with the command")
    .option("--awake", "no idle processor sleeps meanwhile: the agent hears of ACKs sooner, for more power")
    .option("--json", "the summary as one JSON line on stdout")
    .option("--quiet", "no summary")
    .argument("<command...>", "program and arguments, behind `--`")
    .addHelpText(
      "after",
      `
Without --scenario, --default and --flows a connection has to choose the algorithm by its name, which the command finds in
CCPARK_CONGESTION.

  ccpark run --algorithm bbr -- sh -c 'iperf3 -c 192.0.2.1 -C $CCPARK_CONGESTION'
  ccpark run --algorithm vegas --flows dport=443 -- curl -O https://192.0.2.1/file
  ccpark run --algorithm agent:runs/quickstart --scenario park-paper --serve 'iperf3 -s' -- \\
    sh -c 'sleep 0.5; iperf3 -c $CCPARK_PEER -t 10'`,
    )
    .action(run);
  program
    .command("watch")
    .description("connections that run under algorithms of ours in this machine's kernel (root)")
    .addOption(new Option("--every <sec>", "seconds between two looks").argParser(parsePositive).default(1))
    .option("--once", "two looks, then end")
    .option("--json", "JSON Lines on stdout")
    .action(watch);
}
