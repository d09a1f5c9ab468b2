/** The simulated testbed: virtual time, any link, any rate, the same bytes for the same seed. */

import { CcparkError } from "../../core/errors.ts";
import type { Nanos } from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { MoveTarget } from "../../scenarios/traffic/named-flows.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { makeNetwork } from "../../sim/make-network.ts";
import type { Network } from "../../sim/network.ts";
import type { BundleFlow } from "../bundles/bundle-flow.ts";
import type { SimulatedBundle } from "../bundles/simulated-bundles.ts";
import { ENGINE_FORMATS } from "../exports/recorder.ts";
import type { NetworkRunFlow } from "../network-flow.ts";
import { RunPlan } from "../network-run.ts";
import type { Overlay } from "../overlays/overlay.ts";
import type { LinkTruth, OpenOptions, Run, VirtualRun, VirtualTestbed } from "../testbed.ts";
import type { TransferLog } from "../traffic/traffic.ts";

export class SimulatedRun implements VirtualRun {
  readonly flows: readonly (NetworkRunFlow | BundleFlow)[];
  readonly transfers: TransferLog;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  readonly truth: LinkTruth;
  readonly shares: Run["shares"];
  /** of the scenario, in its order */
  readonly bundles: readonly SimulatedBundle[];
  /** absent: the scenario has none */
  readonly overlay: Overlay | undefined;
  readonly #network: Network;
  readonly #plan: RunPlan;
  #isReleased = false;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    const { spec, rng } = plan;
    const network = plan.needsGeneral
      ? new GeneralNetwork(spec, rng, { outlet: plan.outlet })
      : makeNetwork(spec, rng);
    if (network instanceof GeneralNetwork) plan.prepare(network);
    plan.begin(network);
    this.#network = network;
    this.flows = plan.flowsOf(network);
    this.truth = plan.truthOf(network);
    this.transfers = plan.transfers;
    this.shares = plan.sharesIn(network);
    this.bundles = plan.bundles?.all ?? [];
    this.overlay = plan.overlay;
    this.startNs = plan.startNs;
    this.endNs = plan.endNs;
    this.seriesBinNs = plan.seriesBinNs;
  }

  get nowNs(): Nanos {
    return this.#held.nowNs;
  }

  move(flowId: string, to: MoveTarget): void {
    this.#plan.move(this.#network, this.truth, flowId, to);
  }

  schedule(atNs: Nanos, call: () => void): void {
    this.#network.schedule(atNs, call);
  }

  requestStop(): void {
    this.#network.requestStop();
  }

  runUntil(untilNs: Nanos): boolean {
    return this.#held.runUntil(untilNs);
  }

  /** @throws CcparkError (failed-precondition): it would be the network of another run */
  get #held(): Network {
    if (!this.#isReleased) return this.#network;
    throw new CcparkError(
      "failed-precondition",
      "[sim] the run is over and its memory serves another one: expected to be asked before the next episode begins",
    );
  }

  /** Nothing: its memory goes with it, or is released. */
  close(): void {}

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#network.release();
  }
}

interface SimulatedTestbed extends VirtualTestbed {
  open(scenario: Scenario, seed: number, options: OpenOptions): SimulatedRun;
}

export const SIMULATED: SimulatedTestbed = {
  name: "simulated",
  clock: "virtual",
  summary:
    "packets in virtual time, as fast as the machine can; the same bytes for the same seed; needs nothing",
  records: ENGINE_FORMATS,
  refuses: () => undefined,
  open: (scenario, seed, options) => new SimulatedRun(new RunPlan(scenario, seed, options)),
};
