/** The best that could be done without looking. */
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  SentEvent,
} from "../../ccp-bridge/congestion-control.ts";
import { CcparkError } from "../../core/errors.ts";
import { type Bytes, type BytesPerSec, mssOf, toMbps } from "../../core/units.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { meanRateBytesPerSec, rateHeaderBytes } from "../../scenarios/rates/registry.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { bdpBytes } from "../links.ts";
import { mean } from "../statistics.ts";
import {
  CONSTANT,
  CONSTANT_RATE,
  CONSTANT_RATE_SUMMARY,
  CONSTANT_SUMMARY,
  type Contender,
} from "./contender.ts";

/** The window of a paced sender is so much wider than what is in flight: time alone holds packets back. */
export const ROOM_PACKETS = 4;

/** Window that never moves. */
export function constantWindow(cwndPackets: number): CongestionControlFactory {
  return ({ mssBytes }) => ({
    name: CONSTANT,
    cwndBytes: cwndPackets * mssBytes,
    pacingRateBytesPerSec: undefined,
    onAck() {},
    onCongestion() {},
  });
}

/** Rate that never moves. */
class ConstantRate implements CongestionControl {
  readonly name = CONSTANT_RATE;
  readonly pacingRateBytesPerSec: BytesPerSec;
  readonly #roomBytes: Bytes;
  cwndBytes: Bytes;

  constructor(rateBytesPerSec: BytesPerSec, mssBytes: Bytes) {
    this.pacingRateBytesPerSec = rateBytesPerSec;
    this.cwndBytes = this.#roomBytes = ROOM_PACKETS * mssBytes;
  }

  onSent({ inflightBytes }: SentEvent): void {
    this.cwndBytes = inflightBytes + this.#roomBytes;
  }

  onAck({ inflightBytes }: AckEvent): void {
    this.cwndBytes = inflightBytes + this.#roomBytes;
  }

  onCongestion(): void {}
}

export function constantRate(rateBytesPerSec: BytesPerSec): CongestionControlFactory {
  return ({ mssBytes }) => new ConstantRate(rateBytesPerSec, mssBytes);
}

/** Constant windows that are tried, in bandwidth-delay products of the link. */
const CONSTANT_LINK_GRID = [0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 2.5];
/** A varying link's capacity goes far above its mean, so its grid goes further. */
const VARYING_LINK_GRID = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 8];

/** Constant rates that are tried, in mean rates of the link. */
const RATE_GRID = [0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1, 1.01, 1.05];

/** Rates of payload that are tried on a link; none where its rate has no limit. */
export function constantRates(scenario: Scenario): BytesPerSec[] {
  const wireBytesPerSec = meanRateBytesPerSec(scenario.forward.rate) ?? 0;
  const mtuBytes = mtuOf(scenario);
  const payloadRatio = mssOf(mtuBytes) / (mtuBytes + rateHeaderBytes(scenario.forward.rate));
  return wireBytesPerSec === 0 ? [] : RATE_GRID.map((factor) => factor * wireBytesPerSec * payloadRatio);
}

/** Windows that are tried on a link, packets. */
export function constantWindows(scenario: Scenario): number[] {
  const bdpPackets = bdpBytes(scenario) / mtuOf(scenario);
  const grid = scenario.forward.rate.kind === "trace" ? VARYING_LINK_GRID : CONSTANT_LINK_GRID;
  return [...new Set(grid.map((factor) => Math.max(2, Math.round(factor * bdpPackets))))];
}

/** One way to send that never changes, and what the row of a result says of it. */
interface Fixed {
  readonly algorithm: CongestionControlFactory;
  readonly detail: string;
}

/** Of those that `tried` gives for a link, the one with the highest mean score over the very seeds of the benchmark. */
function hindsightContender(
  name: string,
  description: string,
  tried: (scenario: Scenario) => readonly Fixed[],
): Contender {
  return {
    name,
    description,
    prepare(scenario, { seeds, testbed = SIMULATED, ...rest }) {
      if (testbed.clock === "real") {
        const message = `\`${name}\` tries many ways on each link: expected a testbed in virtual time, got ${testbed.name}`;
        throw new CcparkError("invalid-argument", `[bench] ${message}`);
      }
      if (seeds.length === 0)
        throw new CcparkError("invalid-argument", "[bench] no seeds: expected at least one");
      const common = { ...rest, testbed };
      let best: (Fixed & { score: number; results: Map<number, RunResult> }) | undefined;
      for (const fixed of tried(scenario)) {
        const { algorithm } = fixed;
        const results = new Map(
          seeds.map((seed) => [seed, runAlgorithm({ scenario, seed, algorithm, ...common })]),
        );
        const score = mean([...results.values()].map((result) => result.metrics.score));
        if (best === undefined || score > best.score) best = { ...fixed, score, results };
      }
      if (best === undefined) {
        const got = `${scenario.name}, whose rate has no limit`;
        throw new CcparkError("invalid-argument", `[bench] \`${name}\`: got ${got}, expected a mean rate`);
      }
      const { detail, results, algorithm } = best;
      return {
        detail,
        run: (options) => results.get(options.seed) ?? runAlgorithm({ ...options, testbed, algorithm }),
      };
    },
    run() {
      throw new Error(`assertion failed: the contender ${name} runs only after prepare`);
    },
  };
}

/**
 * The best that an agent could do without looking: for each link the constant window with the highest mean score over
 * the very seeds of the benchmark. It is chosen with hindsight, so beating it is hard on a constant link.
 */
export function constantContender(): Contender {
  return hindsightContender(CONSTANT, CONSTANT_SUMMARY, (scenario) => {
    const bdpPackets = bdpBytes(scenario) / mtuOf(scenario);
    return constantWindows(scenario).map((cwndPackets) => {
      const fraction = bdpPackets > 0 ? ` = ${(cwndPackets / bdpPackets).toFixed(2)} BDP` : "";
      return { algorithm: constantWindow(cwndPackets), detail: `cwnd ${cwndPackets} packets${fraction}` };
    });
  });
}

/** The same for a pacing rate, which keeps no window and so asks no ACK. */
export function constantRateContender(): Contender {
  return hindsightContender(CONSTANT_RATE, CONSTANT_RATE_SUMMARY, (scenario) =>
    constantRates(scenario).map((rateBytesPerSec) => ({
      algorithm: constantRate(rateBytesPerSec),
      detail: `${toMbps(rateBytesPerSec).toFixed(3)} Mbit/s of payload`,
    })),
  );
}
