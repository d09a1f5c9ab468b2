/**
 * A run of the engine's senders and receivers under a clock that does not wait: what worlds with real packets have in
 * common. An alarm wakes this thread for the next event; packets come in between from wherever they were carried.
 */
import { type Bytes, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import { hasStacks } from "../../scenarios/flows.ts";
import { peakMbps } from "../../scenarios/rates/registry.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { GeneralNetwork, PacketCarrier } from "../../sim/general/general-network.ts";
import type { RunPlan } from "../network-run.ts";
import type { LinkTruth, RealTimeRun, RunFlow, RunTiming } from "../testbed.ts";
import type { TransferLog } from "../traffic/traffic.ts";
import { Alarm, monotonicNs, Stopwatch } from "./alarm.ts";
import { Waiting } from "./waiting.ts";

/** Beyond, one thread cannot carry the packets: a packet costs it some 30 us in its sockets. */
const MAX_MBPS = 200;

/** Why packets of the engine's senders cannot be carried at the scenario's rates by one thread. */
export function rateRefusal(scenario: Scenario): string | undefined {
  if (scenario.moves !== undefined)
    return "its flow moves to other links, expected one path: they are the simulator's";
  if (scenario.standby !== undefined)
    return "its agent has a standby, expected none: it waits in the simulator alone";
  if (scenario.bundles !== undefined)
    return "it has bundles, expected none: their boxes stand in the simulator alone";
  if (scenario.overlay !== undefined)
    return "it has an overlay, expected none: its nodes are in the simulator alone";
  const links = { forward: scenario.forward, reverse: scenario.reverse, ...scenario.links };
  for (const [name, { rate }] of Object.entries(links)) {
    const mbps = peakMbps(rate);
    // an unlimited link carries no more than what the others let through
    if (mbps !== undefined && mbps > MAX_MBPS) {
      return `link ${name} has ${mbps} Mbit/s, expected at most ${MAX_MBPS}: all packets go through one thread`;
    }
  }
  if (Object.values(links).every(({ rate }) => rate.kind === "unlimited")) {
    return "no link has a limit, expected one: the flow would be as fast as the machine";
  }
  return undefined;
}

/** Why packets of the system's own senders are not those of stacks. */
export function stackRefusal(scenario: Scenario): string | undefined {
  return hasStacks(scenario)
    ? "its flows are stacks of chunnels, expected none: simulated and udp run them"
    : undefined;
}

/** The scenario without what the machine has of its own: a send jitter. */
export function withoutSendJitter(scenario: Scenario): Scenario {
  return { ...scenario, fixed: { ...scenario.fixed, sendJitterUs: 0 } };
}

export abstract class RealTimeNetworkRun implements RealTimeRun, PacketCarrier {
  readonly flows: readonly RunFlow[];
  readonly transfers: TransferLog;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  readonly shares: RealTimeRun["shares"];
  readonly truth: LinkTruth;
  protected readonly network: GeneralNetwork;
  protected readonly clock: Stopwatch = new Stopwatch();
  /** rows of packets that are being carried, and since when */
  protected readonly carried: Map<number, Nanos> = new Map();
  /** packets that were neither delivered nor lost by a link */
  protected strayLosses = 0;
  readonly #name: string;
  readonly #alarm: Alarm;
  readonly #sweepEveryNs: Nanos;
  readonly #waiting = new Waiting();
  /** its time stands still from then on */
  #closedNs: Nanos | undefined;
  #isTurning = false;
  /** somebody has run it */
  #isBegun = false;

  /**
   * @param name of the testbed
   * @param networkOf makes the plan's network
   * @param sweepEveryNs how often packets are looked for that will not come
   */
  constructor(
    name: string,
    plan: RunPlan,
    parts: {
      readonly networkOf: (carrier: PacketCarrier) => GeneralNetwork;
      /** absent: the network's own links */
      readonly truth?: LinkTruth;
      readonly sweepEveryNs?: Nanos;
    },
  ) {
    this.#name = name;
    this.startNs = plan.startNs;
    this.endNs = plan.endNs;
    this.seriesBinNs = plan.seriesBinNs;
    this.transfers = plan.transfers;
    this.network = parts.networkOf(this);
    plan.prepare(this.network);
    this.flows = plan.flowsOf(this.network);
    this.truth = parts.truth ?? plan.truthOf(this.network);
    this.shares = plan.sharesIn(this.network);
    this.#sweepEveryNs = parts.sweepEveryNs ?? NANOS_PER_SEC;
    this.#alarm = new Alarm(
      () => this.turn(),
      (error) => this.fail(error),
    );
  }

  abstract readonly timing: RunTiming;

  abstract carry(packet: number, way: "into" | "out", wireBytes: Bytes): void;

  /** Time begins. */
  protected onStart(): void {}

  /**
   * What has to be there before time begins is made; absent: everything is.
   * @returns when time begins, on the monotonic clock: now, or a little before
   */
  protected getReady?(): Promise<bigint>;

  /** Whether a packet that has been carried since `sinceNs` will not come; a stray one is counted by who answers. */
  protected abstract isLost(packet: number, sinceNs: Nanos, nowNs: Nanos): boolean;

  /** Gives back what carries packets. */
  protected abstract giveBack(): void | Promise<void>;

  get nowNs(): Nanos {
    if (this.#closedNs !== undefined) return this.#closedNs;
    return this.#isTurning ? this.network.nowNs : Math.max(this.network.nowNs, this.clock.nowNs);
  }

  schedule(atNs: Nanos, call: () => void): void {
    this.network.schedule(Math.max(atNs, this.network.nowNs), call);
    if (!this.#isTurning) this.#setAlarm();
  }

  requestStop(): void {
    this.network.requestStop();
  }

  runUntil(untilNs: Nanos): Promise<boolean> {
    const reached = this.#waiting.until(untilNs);
    if (!this.#isBegun) {
      this.#isBegun = true;
      if (this.getReady === undefined) this.#begin(monotonicNs());
      else {
        this.getReady().then(
          (zeroNs) => this.#begin(zeroNs),
          (error) => this.fail(error),
        );
      }
    }
    this.turn();
    return reached;
  }

  #begin(zeroNs: bigint): void {
    if (this.#closedNs !== undefined) return;
    this.clock.start(zeroNs);
    this.onStart();
    this.#sweep(this.#sweepEveryNs);
    this.turn();
  }

  /** Everything that is due happens. */
  protected turn(): void {
    if (this.#closedNs !== undefined || this.#isTurning || !this.clock.isRunning) return;
    this.#isTurning = true;
    let isStopped = false;
    try {
      const nowNs = this.clock.nowNs;
      while (!this.network.runUntil(nowNs)) isStopped = true;
    } catch (error) {
      this.#waiting.fail(error);
    }
    this.#isTurning = false;
    this.#waiting.settle(this.network.nowNs, isStopped);
    this.#setAlarm();
  }

  /** A packet has come out of what carried it; what happens before its arrival happens first. */
  protected arriving(arrive: (nowNs: Nanos) => void): void {
    if (this.#closedNs !== undefined) return;
    this.turn();
    this.#isTurning = true;
    try {
      arrive(Math.max(this.network.nowNs, this.clock.nowNs));
    } catch (error) {
      this.#waiting.fail(error);
    }
    this.#isTurning = false;
    this.turn();
  }

  #setAlarm(): void {
    if (!this.clock.isRunning || this.#closedNs !== undefined) return;
    const nextNs = Math.min(this.network.nextNs, this.#waiting.untilNs);
    this.#alarm.set(nextNs === Number.POSITIVE_INFINITY ? undefined : this.clock.absolute(nextNs));
  }

  /** Packets that will not come are given up, so that their senders find out. */
  #sweep(atNs: Nanos): void {
    this.network.schedule(atNs, () => {
      for (const [packet, sinceNs] of this.carried) {
        if (!this.isLost(packet, sinceNs, atNs)) continue;
        this.carried.delete(packet);
        this.network.lose(packet);
      }
      this.#sweep(atNs + this.#sweepEveryNs);
    });
  }

  protected fail(error: unknown): void {
    this.#waiting.fail(error);
    this.#waiting.settle(this.network.nowNs, false);
  }

  async close(): Promise<void> {
    if (this.#closedNs !== undefined) return;
    this.#closedNs = this.nowNs;
    this.#waiting.close(this.#name);
    await this.giveBack();
    await this.#alarm.close();
  }
}
