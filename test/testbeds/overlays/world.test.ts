/** The world of an overlay: its graph, its messages, its choices, and what a scenario may not say. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { OVERLAY_PATHS } from "../../../scenarios/presets/overlays/paths.ts";
import { OVERLAY_REQUESTS } from "../../../scenarios/presets/overlays/requests.ts";
import { OVERLAY_TREES } from "../../../scenarios/presets/overlays/trees.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { validateScenario } from "../../../scenarios/validate.ts";
import { OverlayGraph } from "../../../testbeds/overlays/graph.ts";
import { SIMULATED, type SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { UDP } from "../../../testbeds/udp/udp.ts";

const NAMES = [...OVERLAY_PATHS, ...OVERLAY_TREES, ...OVERLAY_REQUESTS].map(({ name }) => name);

function scenarioOf(name: string): Scenario {
  return getScenario(name, { rng: Rng.fromSeed(1) });
}

function open(scenario: Scenario, seed: number): SimulatedRun {
  const cubic = makeAlgorithm(resolveAlgorithm("cubic"));
  return SIMULATED.open(scenario, seed, { control: () => cubic });
}

describe("a graph of an overlay", () => {
  const scenario = scenarioOf("relay-chain");
  const graph = new OverlayGraph(scenario.overlay!, scenario);

  it("goes there and back over the same links' two directions", () => {
    const { forward, reverse } = graph.route(["source", "r1"]);
    expect(forward).toEqual([0, 2, 4]);
    expect(reverse).toEqual([5, 3, 1]);
    expect(graph.delayMs("source", "r1")).toBe(12);
    expect(graph.delayMs("r1", "source")).toBe(12);
  });

  it("goes over a node only where it is told to", () => {
    const ron = scenarioOf("ron-outage-3");
    const mesh = new OverlayGraph(ron.overlay!, ron);
    expect(mesh.way("a", "b")).toHaveLength(2);
    expect(mesh.over(["a", "c", "b"])).toEqual([...mesh.way("a", "c"), ...mesh.way("c", "b")]);
  });
});

describe("a message of an overlay", () => {
  it("takes the propagation of its links, waits in their queues, and is lost where all are", () => {
    const run = open(scenarioOf("ron-outage-3"), 1);
    const { overlay } = run;
    const arrivedMs: number[] = [];
    const send = (atSec: number): void =>
      run.schedule(run.startNs + atSec * NANOS_PER_SEC, () => {
        const sentNs = run.nowNs;
        overlay!.messages.send(overlay!.graph.way("a", "b"), 100, 0, () =>
          arrivedMs.push((run.nowNs - sentNs) / 1e6),
        );
      });
    send(0);
    send(10);
    send(25);
    run.runUntil(run.startNs + 30 * NANOS_PER_SEC);
    expect(arrivedMs).toHaveLength(2);
    expect(arrivedMs[0]).toBeGreaterThan(21);
    expect(arrivedMs[0]).toBeLessThan(23);
    // behind the flow's own queue
    expect(arrivedMs[1]).toBeGreaterThan(30);
  });
});

describe("a flow that chooses", () => {
  it("goes where it is told, and the policy leaves it alone from then on", () => {
    const run = open(scenarioOf("ron-outage-3"), 1);
    const { overlay } = run;
    run.runUntil(run.startNs + 5 * NANOS_PER_SEC);
    const names = (): (string | undefined)[] => [
      overlay!.choicesOf("flow-0")!.find(({ isChosen }) => isChosen)?.name,
    ];
    expect(overlay!.choicesOf("flow-0")!.map(({ name }) => name)).toEqual(["a>b", "a>c>b"]);
    overlay!.choose("flow-0", 1);
    expect(names()).toEqual(["a>c>b"]);
    run.runUntil(run.startNs + 15 * NANOS_PER_SEC);
    expect(names()).toEqual(["a>c>b"]);
    overlay!.choose("flow-0", 0.49);
    expect(names()).toEqual(["a>b"]);
  });
});

describe("scenarios with an overlay", () => {
  it.each(NAMES)("%s: the same bytes for the same seed, others for another", { timeout: 120_000 }, (name) => {
    const scenario = { ...scenarioOf(name), durationSec: 12 };
    const facts = (seed: number): string => {
      const run = open(scenario, seed);
      run.runUntil(run.endNs);
      const flows = run.flows.map(({ sentPackets, srttUs, path }) => [
        sentPackets,
        srttUs,
        path.firstArrivedPackets,
      ]);
      return JSON.stringify([flows, run.overlay!.messages.count, run.overlay!.work]);
    };
    for (const seed of [1, 2]) expect(facts(seed)).toBe(facts(seed));
    expect(facts(1)).not.toBe(facts(2));
  });

  const changed = (change: (overlay: NonNullable<Scenario["overlay"]>) => object): unknown => {
    const scenario = scenarioOf("ron-outage-3");
    return { ...scenario, overlay: { ...scenario.overlay!, ...change(scenario.overlay!) } };
  };

  it.each([
    ["a gateway that is no router", () => ({ gateway: "b" }), "overlay.gateway"],
    ["a link to nobody", ({ links }) => ({ links: [{ ...links[0], to: "z" }] }), "overlay.links.0.to"],
    ["a node without a way", ({ links }) => ({ links: links.slice(0, 1) }), "overlay.links"],
    ["too few ends for its flows", () => ({ flows: [] }), "overlay.flows"],
    ["more ends than flows", ({ flows }) => ({ flows: [...flows, ...flows] }), "overlay.flows"],
    [
      "a relay that is no node",
      () => ({ work: { kind: "route", relays: ["edge"] } }),
      "overlay.work.relays.0",
    ],
    ["an unknown policy", () => ({ policy: { kind: "best", everySec: 1 } }), "overlay.policy.kind"],
    [
      "more pieces than it asks for",
      () => ({ work: { kind: "fetch", holders: ["b"], ask: 1, need: 2, pieceBytes: 1, everySec: 1 } }),
      "overlay.work.need",
    ],
  ] as [string, (overlay: NonNullable<Scenario["overlay"]>) => object, string][])(
    "must not have %s",
    (_, change, path) => {
      expect(() => validateScenario(changed(change))).toThrow(path);
    },
  );

  it("run in the simulator alone", () => {
    expect(UDP.refuses(scenarioOf("ron-outage-3"))).toMatch(/overlay/);
  });
});
