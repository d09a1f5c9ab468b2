/**
 * A teacher for imitation: what the oracle of benchmarks would set the window to, if it had to act by the learner's form of action
 * from the learner's own state. It knows what the link will serve in the round trip to come, and wants just that in flight, and
 * half a millisecond of queue, as the oracle's packets come just before their service. Other traffic it does not know: it takes the link for
 * its own.
 */
import type { AlgorithmResolver } from "../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../core/errors.ts";
import { type Micros, NANOS_PER_MICRO } from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { KnownService } from "../../testbeds/simulated/known-service.ts";
import { expectTruth, type Run } from "../../testbeds/testbed.ts";
import { type ActionSpec, getAction, type Setting } from "../signals/actions.ts";
import { type Box, type Dimension, makeBox, numberNames } from "../spaces.ts";

/** As long as the oracle's packets wait. */
const AHEAD_US: Micros = 500;

export class OracleTeacher {
  /** the action that it would take, number by number */
  readonly space: Box;
  readonly #action: ActionSpec;
  readonly #algorithms: AlgorithmResolver | undefined;
  #known: KnownService | undefined;

  /** @throws CcparkError (invalid-argument) for a form of action in which it cannot say what it wants */
  constructor(actionName: string, algorithms?: AlgorithmResolver) {
    this.#action = getAction(actionName);
    this.#algorithms = algorithms;
    if (this.#action.nearest === undefined) {
      const message = `[env] teacher: got the action \`${actionName}\`, expected one with \`nearest\`, such as multiplicative or indigo`;
      throw new CcparkError("invalid-argument", message);
    }
    const { space } = this.#action;
    const definition = "what the oracle would do";
    this.space = makeBox(
      space.kind === "box"
        ? space.dimensions.map((each): Dimension => ({ ...each, definition }))
        : numberNames(space).map((name) => ({ name, unit: "1", low: 0, high: space.n - 1, definition })),
    );
  }

  /** An episode begins. */
  begin(scenario: Scenario, seed: number): void {
    const isLimited = scenario.forward.rate.kind !== "unlimited";
    this.#known = isLimited ? new KnownService(scenario, seed, { algorithms: this.#algorithms }) : undefined;
  }

  /** @param setting of the flow now */
  action(run: Run, setting: Setting): ArrayLike<number> {
    const [flow] = run.flows;
    const { propagationNs, reversePropagationNs, mssBytes } = flow!;
    const spanNs = propagationNs + reversePropagationNs + AHEAD_US * NANOS_PER_MICRO;
    const wireBytes = this.#known?.capacityBytes(run.nowNs, run.nowNs + spanNs) ?? Number.MAX_SAFE_INTEGER;
    // the packet in service is in flight, too
    const cwndBytes = wireBytes * expectTruth(run).payloadRatio + mssBytes;
    return this.#action.nearest!(setting, { cwndBytes, rateBytesPerSec: 0 }, mssBytes);
  }
}
