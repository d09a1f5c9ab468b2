/**
 * Paths over satellites in low orbits: every 15 s the terminal is given another satellite (Starlink; Tanveer et al., CoNEXT 2023), and with it
 * another rate and another delay after a moment without service and some losses. Numbers within those of published measurements
 * are drawn once per member, so that a member is one path.
 */
import { Rng } from "../../core/random.ts";
import { grid, onLinux, preset, type ScenarioPreset, steps } from "./preset.ts";

const NAME = "leo";
const SOURCE = "ccpark, after Tanveer et al., CoNEXT 2023 (handovers every 15 s)";
const COUNT = 10;
const HANDOVER = { everySec: 15, durationSec: 120, outageSec: 0.08, lossySec: 0.5, lossRate: 0.02 } as const;

function member(number: number): ScenarioPreset {
  const rng = Rng.fromSeed(number).fork(NAME);
  const spans = Array.from({ length: HANDOVER.durationSec / HANDOVER.everySec }, (_, i) => ({
    atSec: i * HANDOVER.everySec,
    mbps: Math.round(rng.uniform(30, 200)),
    delayMs: +rng.uniform(10, 30).toFixed(1),
  }));
  const { everySec, outageSec, lossySec, lossRate } = HANDOVER;
  return preset(`${NAME}/${String(number).padStart(2, "0")}`, {
    source: SOURCE,
    description: `a path over low orbits with a handover every ${everySec} s, draw ${number}`,
    rttMs: 40,
    durationSec: HANDOVER.durationSec,
    forward: {
      rate: steps(spans.map(({ atSec, mbps }) => [atSec, mbps])),
      queue: { packets: 600 },
      lossOverTime: {
        points: [
          { atSec: 0, lossRate },
          { atSec: lossySec, lossRate: 0 },
        ],
        periodSec: everySec,
      },
      outages: spans.slice(1).map(({ atSec }) => ({ fromSec: atSec, toSec: atSec + outageSec })),
      jitter: { kind: "exponential", meanMs: 1 },
    },
    reverse: { rate: { kind: "constant", mbps: 15 } },
    delay: { forward: { kind: "steps", points: spans.map(({ atSec, delayMs }) => ({ atSec, delayMs })) } },
  });
}

export const LEO: ScenarioPreset = onLinux(
  grid(NAME, {
    source: SOURCE,
    description: `${COUNT} paths over satellites in low orbits: another rate and delay every 15 s`,
    substitution:
      "rates of 30 to 200 Mbit/s, 10 to 30 ms one way, 80 ms without service and 2 % lost for 0.5 s are ours",
    members: () => Array.from({ length: COUNT }, (_, i) => member(i + 1)),
  }),
);
