/**
 * The simulations of draft-huitema-ccwg-c4-test (text of private-octopus/c4, doc/c4-tests.md), as links and flows; what must hold of
 * each is in `eval/suites/c4/`. Where the text says nothing, queues, rates and sizes are those of the repository's sim_specs, which
 * ran the published results. The connection under test is the flow under test, and its start is time 0.
 */
import type { DirectionSpec } from "../direction.ts";
import type { JitterSpec, SteadyJitterSpec } from "../impairments/jitter.ts";
import { UNLIMITED } from "../links.ts";
import type { DirectionInput } from "../template.ts";
import type { MediaApplication } from "../traffic/media.ts";
import { grid, type PresetParts, preset, type ScenarioPreset, steps } from "./preset.ts";

const NAME = "c4";
const SOURCE = "draft-huitema-ccwg-c4-test (private-octopus/c4, doc/c4-tests.md and sim_specs)";
const MB = 1_000_000;
/** Who stands for picoquic's BBR, which follows the draft of version 3. */
const BBR = "bbr3";

type CaseParts = Omit<PresetParts, "source">;

/** What QUIC's senders do (RFC 9002): losses by packets and time, probes; spurious ones are taken back, as picoquic does. */
const COMMON = {
  sender: { lossDetection: "rack-tlp", undo: true },
  variation: { sendJitterUs: 100, crossPhaseRtt: 1 },
} as const;

const wifi = (meanMs: number): SteadyJitterSpec => ({ kind: "wifi", meanMs });

/** A link whose queue holds so many milliseconds at its highest rate. @param rttMs of both ways */
function path(
  rate: number | DirectionInput["rate"],
  rttMs: number,
  queueMs: number,
  rest: Partial<DirectionSpec> = {},
): Pick<CaseParts, "forward" | "reverse" | "rttMs"> {
  const spec = typeof rate === "number" ? ({ kind: "constant", mbps: rate } as const) : rate!;
  return { rttMs, forward: { rate: spec, queue: { ms: queueMs }, ...rest }, reverse: UNLIMITED };
}

/** @param lateSec after which a trial is given up */
function download(megabytes: number, lateSec: number): Pick<CaseParts, "application" | "durationSec"> {
  return { application: { kind: "finite", bytes: megabytes * MB }, durationSec: lateSec };
}

function background(algorithm: string, megabytes: number, startSec = 0): Pick<CaseParts, "flows"> {
  return { flows: [{ algorithm, startSec, application: { kind: "finite", bytes: megabytes * MB } }] };
}

/** No service in the last 200 ms of each 2 s. */
function suspensions(untilSec: number): Pick<DirectionSpec, "outages"> {
  const outages = Array.from({ length: Math.ceil(untilSec / 2) }, (_, i) => ({
    fromSec: 2 * i + 1.8,
    toSec: 2 * i + 2,
  }));
  return { outages };
}

/** From 1 to 3 s a tenth of the rate, and jitter of 12 ms. */
const FADE: { readonly rate: DirectionInput["rate"]; readonly jitter: JitterSpec } = {
  rate: steps([
    [0, 20],
    [1, 2],
    [3, 20],
  ]),
  jitter: {
    kind: "steps",
    points: [
      { atSec: 0, jitter: wifi(1) },
      { atSec: 1, jitter: wifi(12) },
      { atSec: 3, jitter: wifi(1) },
    ],
  },
};

/** Audio, and one picture in two qualities, of which the better one gives way. */
function call(
  seconds: number,
  measureFromSec: number,
): Pick<CaseParts, "application" | "durationSec" | "ackPolicy"> {
  const group = { framesPerSec: 30, keyFrameEvery: 30 } as const;
  const application: MediaApplication = {
    kind: "media",
    measureFromSec,
    streams: [
      { name: "audio", framesPerSec: 50, bytes: 80, priority: 2 },
      { name: "video", ...group, bytes: 3_750, keyFrameBytes: 37_500, priority: 4 },
      {
        name: "better-video",
        ...group,
        bytes: 6_250,
        keyFrameBytes: 62_500,
        priority: 6,
        abandonAfterMs: 250,
      },
    ],
  };
  return { application, durationSec: seconds, ackPolicy: "per-packet" };
}

/** A round trip that changes on the way there. */
function roundTrips(points: readonly (readonly [atSec: number, rttMs: number])[]): Pick<CaseParts, "delay"> {
  const back = points[0]![1] / 2;
  return {
    delay: {
      forward: { kind: "steps", points: points.map(([atSec, rttMs]) => ({ atSec, delayMs: rttMs - back })) },
    },
  };
}

const BAD_WIFI = { jitter: wifi(7) } as const;

function againstEach(what: string, algorithm: string): [string, CaseParts][] {
  return [
    [
      `short-${what}`,
      {
        description: `5 MB beside 10 MB of ${what}`,
        ...path(20, 80, 80),
        ...download(5, 14),
        ...background(algorithm, 10),
      },
    ],
    [
      `long-${what}`,
      {
        description: `20 MB beside 30 MB of ${what}`,
        ...path(20, 80, 80),
        ...download(20, 40),
        ...background(algorithm, 30),
      },
    ],
    [
      `long-${what}-last`,
      {
        description: `10 MB, 1 s before 15 MB of ${what}`,
        ...path(10, 70, 80),
        ...download(10, 40),
        ...background(algorithm, 15, 1),
      },
    ],
    [
      `bad-wifi-${what}`,
      {
        description: `4 MB, 1 s after 10 MB of ${what}, over bad Wi-Fi`,
        ...path(10, 2, 250, BAD_WIFI),
        ...download(4, 25),
        ...background(algorithm, 10, -1),
      },
    ],
  ];
}

const SELF = againstEach("itself", "test");

const CASES: readonly (readonly [name: string, parts: CaseParts])[] = [
  ["20mbps", { description: "10 MB at 20 Mbit/s, 80 ms", ...path(20, 80, 80), ...download(10, 12) }],
  ["200mbps", { description: "20 MB at 200 Mbit/s, 40 ms", ...path(200, 40, 40), ...download(20, 5) }],
  [
    "geostationary",
    {
      description: "100 MB at 250 Mbit/s, 600 ms, careful resume from 18,750,000 bytes",
      substitution:
        "careful resume: the window begins at half of the remembered one, the jump of draft-ietf-tsvwg-careful-resume, without its reconnaissance",
      ...path(250, 600, 600),
      ...download(100, 20),
      sender: { ...COMMON.sender, initialCwndPackets: Math.floor(18_750_000 / 2 / 1_448) },
    },
  ],
  [
    "low-and-up",
    {
      description: "7 MB at 5, from 2.5 s on 10 Mbit/s, 100 ms",
      ...path(
        steps([
          [0, 5],
          [2.5, 10],
        ]),
        100,
        80,
      ),
      ...download(7, 20),
    },
  ],
  [
    "drop-and-back",
    {
      description: "7 MB at 10, from 1.5 to 3.5 s 5 Mbit/s, 100 ms",
      ...path(
        steps([
          [0, 10],
          [1.5, 5],
          [3.5, 10],
        ]),
        100,
        80,
      ),
      ...download(7, 20),
    },
  ],
  [
    "black-hole",
    {
      description: "10 MB at 25 Mbit/s, 70 ms, nothing from 2 to 4 s",
      ...path(25, 70, 80, { outages: [{ fromSec: 2, toSec: 4 }] }),
      ...download(10, 16),
    },
  ],
  [
    "short-to-long",
    {
      description: "20 MB at 10 Mbit/s, 30 ms, from 1 s on 100 ms",
      ...path(10, 30, 100),
      ...roundTrips([
        [0, 30],
        [1, 100],
      ]),
      ...download(20, 44),
    },
  ],
  [
    "bad-wifi",
    {
      description: "4 MB at 10 Mbit/s, 2 ms, Wi-Fi jitter of 7 ms",
      ...path(10, 2, 250, BAD_WIFI),
      ...download(4, 12),
    },
  ],
  [
    "wifi-fade",
    {
      description: "10 MB at 20, from 1 to 3 s 2 Mbit/s with Wi-Fi jitter of 12 instead of 1 ms, 80 ms",
      ...path(FADE.rate, 80, 80, { jitter: FADE.jitter }),
      ...download(10, 18),
    },
  ],
  [
    "wifi-suspension",
    {
      description: "10 MB at 20 Mbit/s, 10 ms, nothing in the last 200 ms of each 2 s",
      ...path(20, 10, 20, suspensions(16)),
      ...download(10, 16),
    },
  ],
  SELF[0]!,
  [
    "short-itself-first",
    {
      description: "5 MB, 0.5 s after 10 MB of itself",
      ...path(20, 80, 80),
      ...download(5, 16),
      ...background("test", 10, -0.5),
    },
  ],
  [
    "short-itself-last",
    {
      description: "10 MB, 0.5 s before 20 MB of itself",
      ...path(50, 30, 80),
      ...download(10, 10),
      ...background("test", 20, 0.5),
    },
  ],
  ...SELF.slice(1),
  ...againstEach("cubic", "cubic"),
  ...againstEach("bbr", BBR),
  ["media-100mbps", { description: "a call at 100 Mbit/s, 30 ms", ...path(100, 30, 100), ...call(5, 0.2) }],
  ["media-10mbps", { description: "a call at 10 Mbit/s, 40 ms", ...path(10, 40, 100), ...call(5, 0.2) }],
  [
    "media-20s",
    { description: "a call of 20 s at 100 Mbit/s, 30 ms", ...path(100, 30, 100), ...call(20, 0.2) },
  ],
  [
    "media-varying-rtt",
    {
      description: "a call at 100 Mbit/s, 30 ms, from 1 s on 100 ms",
      ...path(100, 30, 100),
      ...roundTrips([
        [0, 30],
        [1, 100],
      ]),
      ...call(10, 5),
    },
  ],
  [
    "media-wifi-fade",
    {
      description: "a call over the fade of wifi-fade, 40 ms",
      ...path(FADE.rate, 40, 100, { jitter: FADE.jitter }),
      ...call(5, 0.2),
    },
  ],
  [
    "media-wifi-suspension",
    {
      description: "a call at 20 Mbit/s, 10 ms, nothing in the last 200 ms of each 2 s",
      ...path(20, 10, 100, suspensions(5)),
      ...call(5, 0.2),
    },
  ],
  [
    "media-bad-wifi",
    {
      description: "a call at 20 Mbit/s, 2 ms, Wi-Fi jitter of 7 ms",
      ...path(20, 2, 100, BAD_WIFI),
      ...call(5, 0.2),
    },
  ],
];

/** Members are named `c4/01-20mbps`, in the order of the draft. */
export const C4: ScenarioPreset = grid(NAME, {
  source: SOURCE,
  description: `the ${CASES.length} simulations of the draft: downloads alone and beside others, Wi-Fi, calls`,
  substitution: "a call is one ordered stream, where QUIC has one per group of frames; BBR is bbr3",
  members: () =>
    CASES.map(([name, parts], i) =>
      preset(`${NAME}/${String(i + 1).padStart(2, "0")}-${name}`, { source: SOURCE, ...COMMON, ...parts }),
    ),
});
