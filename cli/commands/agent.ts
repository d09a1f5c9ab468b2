/** `ccpark agent`: runs algorithms on foreign CCP datapaths, until Ctrl-C, SIGTERM or the end of `--duration`. */
import { type Command, Option } from "commander";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { HostEvent } from "../../ccp-bridge/ipc/agent-host.ts";
import { type AgentFlowFacts, AgentFlows } from "../agent/agent-flows.ts";
import type { ControlOutcome } from "../agent/control.ts";
import { printOut } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { collect, parseAlgorithms, parsePositive, parseWhole } from "../options.ts";

interface AgentOptions {
  readonly algorithm?: readonly string[];
  readonly socket?: string;
  readonly udp?: number;
  readonly default?: string;
  readonly rule?: readonly string[];
  readonly checkpoint?: string;
  readonly control?: string;
  readonly duration?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** What rules and datapaths call the policy of `--checkpoint`. */
const CHECKPOINT_NAME = "policy";
/** Buffers of ebpfccp and Bundler. */
const SMALL_READ_BYTES = 1024;

async function loadSet(options: AgentOptions) {
  const { ccpAlgorithm } = await import("../../algorithms/reference.ts");
  const { compileAlgorithms } = await import("../../ccp-bridge/agent/program-set.ts");
  const { unknownName } = await import("../../core/errors.ts");
  const { loadedModules, referencedPolicy } = await import("../contenders.ts");
  const names = options.algorithm ?? (options.checkpoint === undefined ? ["reno"] : []);
  const algorithms: CcpAlgorithm[] = [];
  for (const name of names) {
    const policy = await referencedPolicy(name, name);
    algorithms.push(policy ?? ccpAlgorithm(name, await loadedModules([name])));
  }
  if (options.checkpoint !== undefined) {
    const { checkpointAlgorithm } = await import("../policies.ts");
    algorithms.push(await checkpointAlgorithm(options.checkpoint, CHECKPOINT_NAME));
  }
  const first = options.default;
  if (first !== undefined) {
    const known = algorithms.map((algorithm) => algorithm.name);
    if (!known.includes(first)) throw unknownName("agent", "default algorithm", first, known);
    algorithms.sort((a, b) => Number(b.name === first) - Number(a.name === first));
  }
  return compileAlgorithms(algorithms);
}

async function agent(options: AgentOptions): Promise<void> {
  const { AgentHost } = await import("../../ccp-bridge/ipc/agent-host.ts");
  const { DEFAULT_AGENT_SOCKET, openUnixDatagram } = await import("../../ccp-bridge/ipc/unix-datagram.ts");
  const { openUdp } = await import("../../ccp-bridge/ipc/udp.ts");
  const { chooseByRules, parseFlowRule } = await import("../../ccp-bridge/agent/flow-rules.ts");
  const { unknownName } = await import("../../core/errors.ts");

  const set = await loadSet(options);
  const names = set.algorithms.map((algorithm) => algorithm.name);
  const rules = (options.rule ?? []).map(parseFlowRule);
  for (const { algorithm } of rules) {
    if (!names.includes(algorithm)) throw unknownName("agent", "algorithm of a rule", algorithm, names);
  }
  const say = makeLog(options);
  const flows = new AgentFlows();
  const onEvent = (event: HostEvent): void => say.event(event, flows.follow(event));
  const host = new AgentHost({ set, choose: chooseByRules(rules), onEvent, observer: flows });
  let control: { close(): void } | undefined;
  try {
    const addresses: string[] = [];
    if (options.socket !== undefined || options.udp === undefined) {
      const path = options.socket ?? DEFAULT_AGENT_SOCKET;
      const socket = await host.listen((onMessage) => openUnixDatagram({ path, onMessage }));
      addresses.push(socket.address);
    }
    if (options.udp !== undefined) {
      const port = options.udp;
      const socket = await host.listen((onMessage) => openUdp({ port, onMessage }));
      addresses.push(socket.address);
    }
    if (options.control !== undefined) {
      const { openControl } = await import("../agent/control.ts");
      control = await openControl(options.control, host, flows, (outcome) => say.control(outcome));
    }
    say.listening(addresses, names);
    for (const { name, install } of set.programs.filter((one) => one.install.length > SMALL_READ_BYTES)) {
      const size = `${install.length} bytes to install`;
      say.warning(
        `program ${name}: ${size}; datapaths that read ${SMALL_READ_BYTES} at a time cannot take it`,
      );
    }
    const signal = await ended(options.duration);
    const { reports, malformed, stale, unknownFlow } = host.agent.counters;
    say.summary({ flows: host.agent.flowCount, reports, malformed, stale, unknownFlow });
    process.exitCode = signal === "SIGINT" ? EXIT.interrupted : EXIT.ok;
  } finally {
    control?.close();
    host.close();
  }
}

function ended(durationSec: number | undefined): Promise<NodeJS.Signals | undefined> {
  return new Promise((resolve) => {
    // the sockets keep the process alive, not the timer
    if (durationSec !== undefined) setTimeout(resolve, durationSec * 1000, undefined).unref();
    process.removeAllListeners("SIGINT");
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

/** What repeats is said once: malformed datagrams of a kind, failures of a kind, unnamed senders. */
function makeLog({ json, quiet }: AgentOptions) {
  const said = new Set<string>();
  const MAX_SAID = 1000;
  const repeats = (key: string): boolean => {
    if (said.has(key) || said.size >= MAX_SAID) return true;
    said.add(key);
    return false;
  };
  const write = (fields: Readonly<Record<string, unknown>>, text: string): void => {
    if (json) printOut(`${JSON.stringify(fields)}\n`);
    else if (!quiet) printOut(`${text}\n`);
  };
  return {
    listening(addresses: readonly string[], algorithms: readonly string[]): void {
      write(
        { event: "listening", addresses, algorithms },
        `agent for ${algorithms.join(", ")} on ${addresses.join(" and ")}; Ctrl-C stops`,
      );
    },
    control({ message, ...fields }: ControlOutcome): void {
      write({ event: "control", ...fields, message }, message);
    },
    warning(message: string): void {
      write({ event: "warning", message }, `warning: ${message}`);
    },
    summary(counters: Readonly<Record<string, number>>): void {
      const text = Object.entries(counters).map(([name, count]) => `${name} ${count}`);
      write({ event: "ended", ...counters }, `ended: ${text.join(", ")}`);
    },
    /** @param facts of a flow that opens or closes */
    event(event: HostEvent, facts: AgentFlowFacts | undefined): void {
      const { kind, nowUs } = event;
      const timeSec = Math.round(nowUs / 1000) / 1000;
      switch (event.kind) {
        case "datapath":
          write({ event: kind, timeSec, address: event.address }, `${timeSec} datapath ${event.address}`);
          return;
        case "opened": {
          const { address, algorithm, info } = event;
          const { flowId, initCwndBytes, mssBytes, srcIp, srcPort, dstIp, dstPort } = info;
          const flow = { flowId, initCwndBytes, mssBytes, srcIp, srcPort, dstIp, dstPort };
          write(
            { event: kind, timeSec, address, algorithm, ...flow, handle: facts?.handle },
            `${timeSec} flow ${flowId} of ${address} opened: ${algorithm}, ${facts?.handle}`,
          );
          return;
        }
        case "closed": {
          const { address, flowId } = event;
          const { handle } = facts ?? {};
          write(
            { event: kind, timeSec, address, flowId, handle },
            `${timeSec} flow ${flowId} of ${address} closed`,
          );
          return;
        }
        case "vanished": {
          const { address, reason, flows } = event;
          const why = reason === "gone" ? "has gone" : "does not read";
          write(
            { event: kind, timeSec, address, reason, flows },
            `${timeSec} datapath ${address} ${why}: ${flows} flows forgotten`,
          );
          return;
        }
        case "malformed": {
          const { address, reason } = event;
          if (repeats(`${address} ${reason}`)) return;
          write(
            { event: kind, timeSec, address, reason },
            `${timeSec} malformed datagram from ${address}: ${reason}; further ones are only counted`,
          );
          return;
        }
        case "failed": {
          const message = event.error instanceof Error ? event.error.message : String(event.error);
          if (repeats(message)) return;
          const { address } = event;
          write(
            { event: kind, timeSec, address, message },
            `${timeSec} algorithm failed on ${address}: ${message}`,
          );
          return;
        }
        case "unnamed":
          if (repeats(kind)) return;
          write(
            { event: kind, timeSec },
            `${timeSec} datagram from a socket without a path; it cannot be answered and is ignored`,
          );
      }
    },
  };
}

export function addAgent(program: Command): void {
  program
    .command("agent")
    .description("run algorithms as a CCP agent for datapaths of other programs")
    .addOption(
      new Option(
        "--algorithm <names>",
        "algorithms, separated by commas, with parameters as in vegas:alpha=3, and policies as in zoo:general; the first is the default",
      ).argParser(parseAlgorithms),
    )
    .option("--socket <path>", "unix socket, a name means /tmp/ccp/NAME (default: /tmp/ccp/portus)")
    .addOption(
      new Option("--udp <port>", "UDP on 127.0.0.1; 0: any free port").argParser(parseWhole(0, 65_535)),
    )
    .option("--default <name>", "for flows that ask for no algorithm and match no rule")
    .option("--rule <rule>", "dst-port:5001=cubic, src-ip:10.0.0.0/8=bbr ...; may be repeated", collect)
    .option("--checkpoint <file>", "adds the trained policy of this checkpoint as `policy`")
    .option(
      "--control <socket>",
      'lists, watches, changes and gives up live flows there, by `ccpark flows --agent` or datagrams such as {"params": {"priority": 2}, "handle": "..."}',
    )
    .option("--duration <sec>", "end after so many seconds", parsePositive)
    .option("--json", "events as JSON Lines")
    .option("--quiet", "print nothing")
    .action(agent);
}
