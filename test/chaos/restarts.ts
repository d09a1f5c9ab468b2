/**
 * An agent that is killed and started again, again and again, while four flows share a bottleneck. After each return every
 * flow must be under the new agent's control within a second of the simulation's clock, and no flow may ever stop.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentLink } from "../../ccp-bridge/ipc/agent-link.ts";
import { Rng } from "../../core/random.ts";
import { ACK_BYTES, fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES } from "../../core/units.ts";
import { openAgentLink } from "../../envs/foreign-agent/external-agent.ts";
import { drive, type Pace } from "../../envs/foreign-agent/pace.ts";
import { FifoNetwork } from "../../sim/fifo/fifo-network.ts";
import { type AgentCommand, startAgent } from "../envs/foreign-agent/agent-child.ts";

export interface RestartOptions {
  readonly agent: AgentCommand;
  readonly pace: Pace;
  readonly restarts: number;
  readonly flows?: number;
  readonly seed?: number;
  /** real time for all of it; what is not done by then has failed */
  readonly limitSec: number;
  readonly onRestart?: (done: number) => void;
}

export interface RestartOutcome {
  readonly restarts: number;
  /** from the return of the agent until it controlled every flow, milliseconds of the simulation's clock */
  readonly meanReturnMs: number;
  readonly worstReturnMs: number;
  /** longest time in which a flow delivered nothing */
  readonly worstStallMs: number;
  readonly fallbacks: number;
  readonly reports: number;
  readonly simulatedSec: number;
  /** resident memory after a tenth of the restarts, and at the end */
  readonly rssMb: readonly [number, number];
  readonly heapMb: readonly [number, number];
  /** entries of the datapath's tables, at the same times */
  readonly flows: readonly [number, number];
  readonly programs: readonly [number, number];
  readonly problems: readonly string[];
}

const RETURN_LIMIT_MS = 1000;
/** A flow that delivers nothing for so long has stopped: several retransmission timeouts. */
const STALL_LIMIT_MS = 2000;
const SLICE_NS = 20 * NANOS_PER_MILLI;
const MAX_PROBLEMS = 20;
/** Growth of resident memory over nine tenths of the restarts that is noise of the garbage collector. */
const MEMORY_LIMIT_MB = 60;
const HEAP_LIMIT_MB = 20;

function makeNetwork(link: AgentLink, flows: number, rng: Rng): FifoNetwork {
  const direction = { lossRate: 0, dataBytes: PACKET_BYTES, ackBytes: ACK_BYTES };
  const unlimited = { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  return new FifoNetwork(
    {
      forward: {
        ...direction,
        rate: { kind: "constant", rateBytesPerSec: fromMbps(48) },
        queue: { packets: 400, bytes: Number.POSITIVE_INFINITY },
      },
      reverse: { ...direction, rate: { kind: "unlimited" }, queue: unlimited },
      flows: Array.from({ length: flows }, (_, i) => ({
        control: link.control,
        startNs: i * 50 * NANOS_PER_MILLI,
        stopNs: Number.POSITIVE_INFINITY,
        propagationNs: 25 * NANOS_PER_MILLI,
        ackPolicy: "delayed" as const,
        sendJitterNs: 0,
        seriesBinNs: Number.POSITIVE_INFINITY,
      })),
    },
    rng,
  );
}

function memoryMb(): { rss: number; heap: number } {
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss: rss / 2 ** 20, heap: (heapUsed + arrayBuffers) / 2 ** 20 };
}

/** Drives the network in slices and notes when each flow last delivered something. */
class Watch {
  worstStallMs = 0;
  readonly link: AgentLink;
  readonly network: FifoNetwork;
  readonly #pace: Pace;
  readonly #arrived: number[];
  readonly #sinceNs: number[];

  constructor(link: AgentLink, network: FifoNetwork, pace: Pace) {
    this.link = link;
    this.network = network;
    this.#pace = pace;
    this.#arrived = network.flows.map(() => 0);
    this.#sinceNs = network.flows.map((flow) => flow.spec.startNs);
  }

  /** Until the time is over or `done` says so; true if it did. */
  async run(forMs: number, done: () => boolean = () => false): Promise<boolean> {
    const endNs = this.network.nowNs + forMs * NANOS_PER_MILLI;
    while (this.network.nowNs < endNs) {
      if (done()) return true;
      const untilNs = Math.min(this.network.nowNs + SLICE_NS, endNs);
      await drive(this.link, this.network, untilNs, this.#pace);
      this.#look();
    }
    return done();
  }

  #look(): void {
    const { nowNs } = this.network;
    for (const flow of this.network.flows) {
      flow.advance(nowNs);
      if (flow.arrivedPackets > this.#arrived[flow.index]!) {
        this.#arrived[flow.index] = flow.arrivedPackets;
        this.#sinceNs[flow.index] = nowNs;
      }
      const stallMs = (nowNs - this.#sinceNs[flow.index]!) / NANOS_PER_MILLI;
      this.worstStallMs = Math.max(this.worstStallMs, stallMs);
    }
  }
}

/** Every flow runs a program that it was given after the counts of `before`. */
function underControl(link: AgentLink, before: ReadonlyMap<number, number>): boolean {
  return link.flows.every(
    (flow) =>
      !flow.inFallback &&
      link.datapath.flow(flow.flowId).programUid !== undefined &&
      (link.programChanges.get(flow.flowId) ?? 0) > (before.get(flow.flowId) ?? 0),
  );
}

export async function restartAgents(options: RestartOptions): Promise<RestartOutcome> {
  const { pace, restarts, flows = 4 } = options;
  const rng = Rng.fromSeed(options.seed ?? 1);
  const chance = rng.fork("chaos");
  const problems: string[] = [];
  const complain = (problem: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  };
  const endMs = performance.now() + options.limitSec * 1000;
  let network: FifoNetwork | undefined;
  let agent = await startAgent(options.agent);
  const { link, close } = await openAgentLink({
    agent: options.agent.socket,
    algorithmName: "reno",
    pace,
    onSent: pace === "lock-step" ? () => network?.requestStop() : undefined,
  });
  const returnsMs: number[] = [];
  let memoryBefore = memoryMb();
  let tablesBefore = link.datapath.tables;
  let tablesAfter = tablesBefore;
  let done = 0;
  network = makeNetwork(link, flows, rng);
  const watch = new Watch(link, network, pace);
  try {
    if (!(await watch.run(2000, () => network!.nowNs > NANOS_PER_SEC && underControl(link, new Map())))) {
      complain("the first agent did not get every flow");
    }
    for (; done < restarts; done++) {
      if (performance.now() > endMs) {
        complain(`only ${done} of ${restarts} restarts in ${options.limitSec} s`);
        break;
      }
      const before = new Map(link.programChanges);
      // Killed at any point of an exchange.
      const killed = sleep(chance.uniform(0, 20)).then(() => agent.kill());
      await watch.run(300);
      await killed;
      // At once, within the fallback time, or after it.
      const outageMs = [0, chance.uniform(0, 1000), chance.uniform(1000, 2000)][done % 3]!;
      await watch.run(outageMs);
      let settled = false;
      let failure: unknown;
      const starting = startAgent(options.agent)
        .then(
          (child) => {
            agent = child;
          },
          (error: unknown) => {
            failure = error;
          },
        )
        .finally(() => {
          settled = true;
        });
      // The clock of lock-step waits for the new process; real time does not.
      if (pace === "real-time") await watch.run(Number.POSITIVE_INFINITY, () => settled);
      await starting;
      if (failure !== undefined) throw failure;
      const returnNs = network.nowNs;
      if (await watch.run(RETURN_LIMIT_MS, () => underControl(link, before))) {
        returnsMs.push((network.nowNs - returnNs) / NANOS_PER_MILLI);
      } else
        complain(
          `restart ${done + 1}: not every flow is under control ${RETURN_LIMIT_MS} ms after the return`,
        );
      tablesAfter = link.datapath.tables;
      if (done + 1 === Math.ceil(restarts / 10)) {
        memoryBefore = memoryMb();
        tablesBefore = tablesAfter;
      }
      options.onRestart?.(done + 1);
    }
  } finally {
    await agent.kill();
    close();
  }
  const memoryAfter = memoryMb();
  if (watch.worstStallMs > STALL_LIMIT_MS) complain(`a flow stopped for ${watch.worstStallMs.toFixed(0)} ms`);
  if (link.counters.refusedMessages > 0) complain(`${link.counters.refusedMessages} messages were refused`);
  if (memoryAfter.rss - memoryBefore.rss > MEMORY_LIMIT_MB) complain("resident memory grew");
  if (memoryAfter.heap - memoryBefore.heap > HEAP_LIMIT_MB) complain("the heap grew");
  if (tablesAfter.flows !== flows || tablesAfter.programs !== tablesBefore.programs) {
    complain(`tables: from ${JSON.stringify(tablesBefore)} to ${JSON.stringify(tablesAfter)}`);
  }
  return {
    restarts: done,
    meanReturnMs: returnsMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, returnsMs.length),
    worstReturnMs: Math.max(0, ...returnsMs),
    worstStallMs: watch.worstStallMs,
    fallbacks: link.counters.fallbackEvents,
    reports: link.counters.reports,
    simulatedSec: network.nowNs / NANOS_PER_SEC,
    rssMb: [memoryBefore.rss, memoryAfter.rss],
    heapMb: [memoryBefore.heap, memoryAfter.heap],
    flows: [tablesBefore.flows, tablesAfter.flows],
    programs: [tablesBefore.programs, tablesAfter.programs],
    problems,
  };
}
