/** The schema of the whole type: a scenario that uses every field passes, and each mistake is one sentence with its path. */
import { describe, expect, it } from "vitest";
import type { DirectionSpec } from "../../scenarios/direction.ts";
import { estimateMemoryBytes } from "../../scenarios/estimates/memory.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { ScenarioError, validateScenario } from "../../scenarios/validate.ts";

const hop: DirectionSpec = {
  policer: { mbps: 20, burstBytes: 30_000 },
  blackholes: [
    { fromSec: 1, toSec: 2 },
    { fromSec: 3, toSec: 4 },
  ],
  lossRate: 0.001,
  gilbertElliott: { goodToBad: 0.01, badToGood: 0.3, lossInGood: 0, lossInBad: 0.5 },
  periodicLoss: { everyPackets: 100, offsetPackets: 5 },
  ackThinning: true,
  queue: {
    packets: 100,
    bytes: 150_000,
    discipline: { kind: "fq-codel", targetMs: 5, intervalMs: 100, ecn: true },
  },
  rate: {
    kind: "steps",
    points: [
      { atSec: 0, mbps: 10 },
      { atSec: 5, mbps: 0 },
    ],
    periodSec: 10,
  },
  outages: [{ fromSec: 6, toSec: 7 }],
  corruptionRate: 0.001,
  duplicationRate: 0.001,
  slots: { everyMs: 4, maxPackets: 20 },
  delayMs: 3,
  jitter: { kind: "exponential", meanMs: 1, reorder: true },
};

/** Uses every field and every kind. */
const everything: Scenario = {
  name: "everything",
  source: "made up",
  description: "all of it",
  forward: { ...hop, rate: { kind: "constant", mbps: 10 } },
  reverse: {
    ...hop,
    rate: { kind: "poisson", mbps: 10 },
    queue: { discipline: { kind: "red", minPackets: 5, maxPackets: 15 } },
  },
  links: {
    hop1: {
      ...hop,
      rate: {
        kind: "markov",
        states: [
          { mbps: 0, meanSec: 1 },
          { mbps: 5, meanSec: 2 },
        ],
      },
    },
    hop2: { ...hop, rate: { kind: "random-steps", minMbps: 1, maxMbps: 5, everySec: 3 } },
    hop3: {
      ...hop,
      rate: {
        kind: "ramp",
        points: [
          { atSec: 0, mbps: 1 },
          { atSec: 9, mbps: 2 },
        ],
      },
    },
    hop4: { ...hop, rate: { kind: "trace", name: "t", opportunitiesMs: [1, 2], end: "stop" } },
  },
  route: { forward: ["hop1", "forward", "hop2"], reverse: ["reverse"] },
  propagationDelayMs: 20,
  reversePropagationDelayMs: 30,
  delay: {
    forward: { kind: "random-walk", startMs: 20, everyMs: 500, stepMs: 10, minMs: 0, maxMs: 60 },
    reverse: {
      kind: "steps",
      points: [
        { atSec: 0, delayMs: 5 },
        { atSec: 1, delayMs: 6 },
      ],
      periodSec: 2,
    },
  },
  durationSec: 10,
  ackPolicy: { packets: 4, delayMs: 20 },
  sender: {
    lossDetection: "rack-tlp",
    prr: "rfc9937",
    undo: true,
    ecn: "accurate",
    receiveWindowPackets: 1000,
    initialCwndPackets: 4,
    minRtoMs: 5,
  },
  application: { kind: "video", mbps: 2, framesPerSec: 30, keyFrameEvery: 60, keyFrameRatio: 4, sigma: 0.2 },
  flows: [
    {
      id: "a",
      count: 3,
      algorithm: "cubic",
      direction: "backward",
      startSec: -5,
      startJitterSec: 1,
      startEverySec: 2,
      stopSec: 8,
      propagationDelayMs: 5,
      propagationSpread: 0.1,
      route: { forward: ["hop3"], reverse: ["hop4"] },
      application: { kind: "on-off", meanOnSec: 1, meanOffSec: 1 },
      sender: { ecn: "classic" },
      ackPolicy: "per-packet",
      priority: 1,
    },
    {
      algorithm: "test",
      application: { kind: "short-transfers", minBytes: 1000, maxBytes: 2000, meanOffSec: 1 },
    },
    { algorithm: "test", application: { kind: "pauses", pauses: [{ fromSec: 1, toSec: 2 }] } },
    { algorithm: "reno", application: { kind: "finite", bytes: 10_000 } },
    { algorithm: "reno", application: { kind: "constant-rate", mbps: 1 } },
  ],
  traffic: [
    { kind: "transfers", algorithm: "cubic", sizes: { kind: "web" }, load: 0.3, startSec: -1, stopSec: 5 },
    {
      kind: "transfers",
      algorithm: "cubic",
      sizes: {
        kind: "empirical",
        points: [
          { bytes: 100, probability: 0 },
          { bytes: 1000, probability: 1 },
        ],
      },
      flowsPerSec: 10,
    },
    { kind: "incast", algorithm: "dctcp", senders: 50, bytes: 15_000, jitterUs: 20, everySec: 1 },
    {
      kind: "datagrams",
      arrivals: "poisson",
      mbps: 1,
      sizes: { kind: "pareto", shape: 1.2, minBytes: 100, maxBytes: 1500 },
    },
  ],
  fixed: { startSec: 0, traceOffsetMs: 0, sendJitterUs: 0 },
};

/** The scenario with one field, named by its path, set to a value (undefined: deleted). */
function withField(path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(everything)) as Record<string, unknown>;
  const keys = path.split(".");
  let at = copy;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return copy;
}

function errorOf(value: unknown): ScenarioError {
  try {
    validateScenario(value);
  } catch (error) {
    if (error instanceof ScenarioError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("the schema", () => {
  it("takes a scenario with every field", () => {
    expect(validateScenario(everything)).toEqual(everything);
    expect(validateScenario(JSON.parse(JSON.stringify(everything)))).toEqual(everything);
  });

  it.each<[string, unknown, string]>([
    [
      "flows.0.route.forward.0",
      "hop9",
      'flows.0.route.forward.0: got "hop9", expected one of "forward", "reverse", "hop1"',
    ],
    [
      "route.reverse",
      ["reverse", "reverse"],
      'route.reverse.1: got "reverse", expected each link at most once',
    ],
    ["route.reverse", [], "route.reverse: got [], expected at least 1 entry"],
    ["links.forward", hop, "expected another name: `forward` is always there"],
    [
      "links.hop3.rate.points.1.atSec",
      0,
      "links.hop3.rate.points.1.atSec: got 0, expected more than 0, the time of the point before",
    ],
    ["links.hop2.outages.0.toSec", 5, "links.hop2.outages.0.toSec: got 5, expected > 6 (fromSec)"],
    [
      "forward.blackholes.1.fromSec",
      1.5,
      "forward.blackholes.1.fromSec: got 1.5, expected >= 2, the end of the span before",
    ],
    ["links.hop2.rate.maxMbps", 0.5, "links.hop2.rate.maxMbps: got 0.5, expected >= 1 (minMbps)"],
    ["links.hop1.rate.states", [{ mbps: 1, meanSec: 1 }], "links.hop1.rate.states: got [{"],
    ["forward.gilbertElliott.goodToBad", 1.5, "forward.gilbertElliott.goodToBad: got 1.5, expected <= 1"],
    ["forward.gilbertElliott.badToGood", 0, "expected > 0, or the bad state never ends"],
    ["forward.lossRate", -0.1, "forward.lossRate: got -0.1, expected >= 0"],
    [
      "links.hop4.rate.opportunitiesMs",
      [],
      "links.hop4.rate.opportunitiesMs.0: got nothing, expected at least one",
    ],
    ["flows.1.algorithm", "", 'flows.1.algorithm: got "", expected some text'],
    ["flows.0.count", 0, "flows.0.count: got 0, expected >= 1"],
    ["flows.0.count", 1e9, "flows.0.count: got 1000000000, expected <= 100000"],
    ["flows.0.stopSec", -6, "flows.0.stopSec: got -6, expected > -5 (startSec)"],
    ["flows.3.id", "a", 'flows.3.id: got "a", expected an id that no flow before has'],
    ["flows.1.application.maxBytes", 10, "flows.1.application.maxBytes: got 10, expected >= 1000 (minBytes)"],
    ["traffic.0.flowsPerSec", 3, "traffic.0.flowsPerSec: got 3, expected load or flowsPerSec, not both"],
    ["traffic.0.load", undefined, "traffic.0.load: got nothing, expected a load, or flowsPerSec"],
    [
      "traffic.0.sizes",
      { kind: "empirical", points: [] },
      "traffic.0.sizes.points: got [], expected at least 2 entries",
    ],
    ["traffic.1.sizes.points.0.probability", 2, "traffic.1.sizes.points.0.probability: got 2, expected <= 1"],
    [
      "traffic.1.sizes.points.1.probability",
      0.9,
      "traffic.1.sizes.points.1.probability: got 0.9, expected 1 at the last point",
    ],
    [
      "traffic.1.sizes.points.1.bytes",
      10,
      "traffic.1.sizes.points.1.bytes: got 10, expected >= 100, as in the point before",
    ],
    ["delay.forward.maxMs", 10, "delay.forward.startMs: got 20, expected 0 (minMs) to 10 (maxMs)"],
    [
      "delay.reverse.periodSec",
      1,
      "delay.reverse.periodSec: got 1, expected more than 1, the time of the last point",
    ],
    ["durationSec", 0, "durationSec: got 0, expected > 0"],
    [
      "reverse.queue.discipline.maxPackets",
      4,
      "reverse.queue.discipline.maxPackets: got 4, expected > 5 (minPackets)",
    ],
    ["reverse.queue.discipline.kind", "reed", 'expected one of "drop-tail", "drop-head", "red"'],
    ["forward.mbps", 10, "forward.mbps: got 10, expected no such field; did you mean `rate.mbps`?"],
    [
      "link",
      { rateMbps: 20 },
      'link: got {"rateMbps":20}, expected no such field; in a file the link is `forward`, such as `forward: { rate',
    ],
    ["rateMbps", 10, "rateMbps: got 10, expected no such field; did you mean `forward.rate.mbps`?"],
    [
      "bufferPackets",
      9,
      "bufferPackets: got 9, expected no such field; did you mean `forward.queue.packets`?",
    ],
    ["lossrate", 0.1, "lossrate: got 0.1, expected no such field; did you mean `forward.lossRate`?"],
    ["mtu", 9000, "mtu: got 9000, expected no such field; did you mean `mtuBytes`?"],
    ["forward.rate.rateMbs", 24, "forward.rate.rateMbs: got 24, expected no such field"],
    [
      "forward.rate",
      { kind: "constant", mbp: 3, mbps: 3 },
      "forward.rate.mbp: got 3, expected no such field; did you mean `mbps`?",
    ],
    [
      "forward.rate.mbps",
      "24Mbps",
      'forward.rate.mbps: got "24Mbps", expected a number, in Mbps as the name says, such as 24',
    ],
    ["propagationDelayMs", "20 ms", 'got "20 ms", expected a number, in Ms as the name says, such as 20'],
    ["ackPolicy", { packets: 0 }, "ackPolicy: got "],
    ["sender.prr", "on", 'sender.prr: got "on", expected one of "off", "rfc6937", "rfc9937"'],
  ])("%s = %o", (path, value, message) => {
    const error = errorOf(withField(path, value));
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^\[scenario\] /);
    expect(error.message).not.toContain("\n");
  });

  it("says one sentence, or nothing, about every list of it that is emptied", () => {
    const paths: string[] = [];
    const walk = (value: unknown, path: string[]): void => {
      if (Array.isArray(value)) paths.push(path.join("."));
      if (typeof value !== "object" || value === null) return;
      for (const [key, inside] of Object.entries(value)) walk(inside, [...path, key]);
    };
    walk(everything, []);
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) {
      try {
        validateScenario(withField(path, []));
      } catch (error) {
        expect(error, path).toBeInstanceOf(ScenarioError);
        expect((error as Error).message, path).toMatch(/^\[scenario\] [^\n]+$/);
      }
    }
  });

  it("refuses a load on a link without limit", () => {
    const scenario = { ...everything, forward: { ...everything.forward, rate: { kind: "unlimited" } } };
    expect(errorOf(scenario).message).toBe(
      "[scenario] traffic.0.load: got 0.3, expected flowsPerSec, since the forward link is unlimited",
    );
  });
});

describe("memory", () => {
  it("is estimated, and a scenario too large is refused with the estimate", () => {
    const small = getScenario("park-paper");
    expect(estimateMemoryBytes(small)).toBeLessThan(2e6);
    const large = {
      ...small,
      forward: { ...small.forward, queue: {}, rate: { kind: "constant", mbps: 40_000 } },
      durationSec: 600,
    };
    expect(errorOf(large).message).toMatch(
      /^\[scenario\] scenario: got "park-paper", expected one that fits into 4.00 GiB: it needs about \d+ GiB$/,
    );
    expect(validateScenario(large, { memoryLimitBytes: 1e13 })).toEqual(large);
    const crowd = { ...small, flows: [{ algorithm: "reno", count: 10_000 }] };
    expect(validateScenario(crowd)).toEqual(crowd);
    expect(estimateMemoryBytes(crowd as Scenario)).toBeGreaterThan(1e9);
  });
});
