/** An overlay's scenario by its name, with another algorithm or other parts, as the simulator runs it. */
import { crossTrafficAlgorithm } from "../../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { CcparkError } from "../../../core/errors.ts";
import { Rng } from "../../../core/random.ts";
import { type Bytes, type Mbps, NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import type { OverlaySpec } from "../../../scenarios/overlay/overlay.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { validateScenario } from "../../../scenarios/validate.ts";
import { SIMULATED, type SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import type { OpenOptions } from "../../../testbeds/testbed.ts";
import { algorithm } from "../algorithm-options.ts";
import { type ExperimentOption, whole } from "../options.ts";

/** Options that all of them have. */
export const OVERLAY_OPTIONS: {
  readonly algorithm: ExperimentOption<string>;
  readonly seed: ExperimentOption<number>;
} = {
  algorithm: algorithm("cubic", "of the flows under test, such as bbr"),
  seed: whole(1, { low: 0, high: 1_000_000, help: "draws what the scenario leaves to chance" }),
};

/** @param change of the scenario's overlay */
export function overlayScenario(
  name: string,
  change: (overlay: OverlaySpec, scenario: Scenario) => Partial<OverlaySpec> = () => ({}),
): Scenario & { readonly overlay: OverlaySpec } {
  const scenario = getScenario(name, { rng: Rng.fromSeed(1) });
  const { overlay } = scenario;
  if (overlay === undefined) throw new CcparkError("internal", `[experiment] ${name} has no overlay`);
  const changed = { ...scenario, overlay: { ...overlay, ...change(overlay, scenario) } };
  validateScenario(changed);
  return changed;
}

/** @param algorithm of the flows under test: a reference, or what makes one for each of them */
export function openOverlay(
  scenario: Scenario,
  seed: number,
  algorithm: string | OpenOptions["control"],
): SimulatedRun {
  const made = typeof algorithm === "string" ? makeAlgorithm(resolveAlgorithm(algorithm)) : undefined;
  return SIMULATED.open(scenario, seed, {
    control: made === undefined ? (algorithm as OpenOptions["control"]) : () => made,
    algorithms: crossTrafficAlgorithm,
  });
}

/** Payload of each flow that arrived in each span, Mbit/s. */
export interface GoodputSample {
  /** its end */
  readonly atSec: number;
  readonly mbps: readonly Mbps[];
}

/** Runs to the end, and looks every `everySec`. */
export function* goodputOf(run: SimulatedRun, everySec: number): Generator<GoodputSample> {
  const durationSec = (run.endNs - run.startNs) / NANOS_PER_SEC;
  const before = run.flows.map((): Bytes => 0);
  for (let i = 1; i * everySec <= durationSec + 1e-9; i++) {
    run.runUntil(run.startNs + i * everySec * NANOS_PER_SEC);
    yield {
      atSec: +(i * everySec).toFixed(6),
      mbps: run.flows.map(({ path, mssBytes }, flow) => {
        path.advance(run.nowNs);
        const bytes = path.firstArrivedPackets * mssBytes;
        const mbps = toMbps((bytes - before[flow]!) / everySec);
        before[flow] = bytes;
        return mbps;
      }),
    };
  }
}
