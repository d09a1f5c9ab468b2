/** Bundles: what their boxes agree on and learn, and what they do to where packets wait. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkCrossTraffic } from "../../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CongestionControlFactory } from "../../../ccp-bridge/congestion-control.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { checkTemplate } from "../../../scenarios/template.ts";
import { epochPackets, headerHash, isBoundary } from "../../../testbeds/bundles/epochs.ts";
import { type CongestionAck, Receivebox } from "../../../testbeds/bundles/receivebox.ts";
import { Sendbox } from "../../../testbeds/bundles/sendbox.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";
import { UDP } from "../../../testbeds/udp/udp.ts";

const PACKET = 1500;

describe("epochs", () => {
  it("are a quarter of the packets of the least RTT, rounded down to a power of two", () => {
    // 96 Mbit/s for 50 ms are 400 packets
    expect(epochPackets(50_000, 12e6, PACKET)).toBe(64);
    expect(epochPackets(50_000, 3e6, PACKET)).toBe(16);
    expect(epochPackets(1000, 1e5, PACKET)).toBe(1);
  });

  it("of a larger size have only boundaries that smaller ones have, so that the boxes agree while a change is on its way", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat({ max: 15 }), fc.nat({ max: 15 }), (flow, id, a, b) => {
        const hash = headerHash(flow, id);
        const [small, large] = [2 ** Math.min(a, b), 2 ** Math.max(a, b)];
        expect(isBoundary(hash, large) && !isBoundary(hash, small)).toBe(false);
      }),
    );
  });

  it("come about as often as their size says, also for flows of one packet", () => {
    let boundaries = 0;
    for (let flow = 0; flow < 64_000; flow++) if (isBoundary(headerHash(flow, 0), 64)) boundaries++;
    expect(boundaries).toBeGreaterThan(850);
    expect(boundaries).toBeLessThan(1150);
  });
});

/** Packets at 10 Mbit/s over 40 ms; instead of each congestion ACK comes what `spoil` makes of it. */
function overPath(spoil: (ack: CongestionAck, i: number) => readonly CongestionAck[]): {
  readonly rttsUs: number[];
  readonly sendbox: Sendbox;
} {
  const sendbox = new Sendbox({
    control: makeAlgorithm(resolveAlgorithm("native-cubic")) as CongestionControlFactory,
    packetBytes: PACKET,
    maxRateBytesPerSec: 1.25e6,
    queuedBytes: () => PACKET,
  });
  const receivebox = new Receivebox();
  const underWay: { readonly atUs: number; readonly ack: CongestionAck }[] = [];
  const rttsUs: number[] = [];
  let acks = 0;
  for (let i = 0; i < 4000; i++) {
    const nowUs = i * 1200;
    while (underWay.length > 0 && underWay[0]!.atUs <= nowUs) {
      const { atUs, ack } = underWay.shift()!;
      for (const each of spoil(ack, acks++)) {
        const told = sendbox.onAck(each, atUs);
        if (told === undefined) continue;
        rttsUs.push(told.estimate.rttUs);
        if (told.epochPackets !== undefined) receivebox.onEpochSize(told.epochPackets);
      }
    }
    const hash = headerHash(1, i);
    sendbox.onSent(hash, PACKET, nowUs);
    const ack = receivebox.onPacket(hash, PACKET);
    if (ack !== undefined) underWay.push({ atUs: nowUs + 40_000, ack });
  }
  return { rttsUs, sendbox };
}

describe("a sendbox", () => {
  it("learns the path's RTT", () => {
    const { rttsUs } = overPath((ack) => [ack]);
    expect(rttsUs.length).toBeGreaterThan(100);
    for (const rttUs of rttsUs) expect(rttUs).toBe(40_000);
  });

  it("is not misled where boundaries are lost, repeated or unknown", () => {
    const unknown = { hash: 12_345, receivedBytes: 1 };
    const { rttsUs } = overPath((ack, i) => (i % 3 === 0 ? [unknown] : [ack, ack]));
    expect(rttsUs.length).toBeGreaterThan(60);
    for (const rttUs of rttsUs) expect(rttUs).toBe(40_000);
  });

  it("ignores an answer that comes after that of a later packet", () => {
    let held: CongestionAck | undefined;
    const { rttsUs } = overPath((ack, i) => {
      if (i === 20) held = ack;
      return i === 20 ? [] : i === 21 ? [ack, held!] : [ack];
    });
    for (const rttUs of rttsUs) expect(rttUs).toBe(40_000);
    expect(rttsUs.length).toBe(overPath((ack) => [ack]).rttsUs.length - 1);
  });
});

describe("a burst that leaves at once", () => {
  it("makes no epochs that are longer than what arrived was fast", () => {
    const sendbox = new Sendbox({
      control: makeAlgorithm(resolveAlgorithm("native-cubic")) as CongestionControlFactory,
      packetBytes: PACKET,
      maxRateBytesPerSec: Number.POSITIVE_INFINITY,
      queuedBytes: () => PACKET,
    });
    const receivebox = new Receivebox();
    const acks = Array.from({ length: 400 }, (_, i) => {
      const hash = headerHash(1, i);
      sendbox.onSent(hash, PACKET, i);
      return { atUs: 40_000 + i * 300, ack: receivebox.onPacket(hash, PACKET) };
    });
    const sizes = acks.flatMap(({ atUs, ack }) => (ack && sendbox.onAck(ack, atUs)?.epochPackets) ?? []);
    // 40 Mbit/s and 40 ms are 133 packets
    expect(sizes.length).toBeGreaterThan(0);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(64);
  });
});

const SITE = {
  name: "two-sites",
  source: "",
  description: "",
  forward: { rate: { kind: "constant", mbps: 48 }, queue: { packets: 400 }, lossRate: 0 },
  reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
  links: { site: { rate: { kind: "unlimited" }, queue: { packets: 2000 }, lossRate: 0 } },
  route: { forward: ["site", "forward"], reverse: ["reverse"] },
  propagationDelayMs: 20,
  durationSec: 15,
  ackPolicy: "delayed",
} as const satisfies Scenario;

function run(bundles: Scenario["bundles"], seed = 1) {
  const made = SIMULATED.open({ ...SITE, ...(bundles && { bundles }) }, seed, {
    control: () => makeAlgorithm(resolveAlgorithm("native-cubic")),
    algorithms: (reference) => makeAlgorithm(resolveAlgorithm(reference)),
  });
  let queued = 0;
  for (let sec = 0.1; sec <= 15; sec += 0.1) {
    made.runUntil(made.startNs + sec * 1e9);
    if (sec > 5) queued += made.truth.forward.queuedPackets / 100;
  }
  return { queued, delivered: made.flows[0]!.deliveredPackets, estimates: made.bundles[0]?.estimates ?? [] };
}

describe("a bundle", () => {
  it("takes the queue out of the network and keeps the link full, its hosts' Cubic none the wiser", () => {
    const without = run(undefined);
    const bundled = run([{ link: "site", algorithm: "nimbus" }]);
    expect(bundled.queued).toBeLessThan(0.4 * without.queued);
    expect(bundled.delivered).toBeGreaterThan(0.85 * without.delivered);
  });

  it("lets its hosts compete with flows that answer, and so keeps most of its due beside one of them, and beside three", () => {
    const past = { forward: ["forward"], reverse: ["reverse"] };
    const share = (algorithm: string, each = 1): number => {
      const scenario: Scenario = {
        ...SITE,
        durationSec: 50,
        bundles: [{ link: "site", algorithm }],
        flows: [
          { id: "own", algorithm: "native-cubic", count: each },
          { id: "rival", algorithm: "native-cubic", count: each, startSec: 10, route: past },
        ],
      };
      const made = SIMULATED.open(scenario, 1, {
        control: () => makeAlgorithm(resolveAlgorithm("native-cubic")),
        algorithms: (reference) => makeAlgorithm(resolveAlgorithm(reference)),
      });
      made.runUntil(made.startNs + 20e9);
      const before = made.flows.map(({ deliveredPackets }) => deliveredPackets);
      made.runUntil(made.endNs);
      const packets = made.flows.map((flow, i) => flow.deliveredPackets - before[i]!);
      const sum = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0);
      return sum(packets.slice(0, 1 + each)) / sum(packets);
    };
    const due = 2 / 3;
    expect(share("nimbus:passes=1,holdSec=10")).toBeGreaterThan(0.8 * due);
    expect(share("nimbus:passes=1,holdSec=10", 3)).toBeGreaterThan((0.8 * 4) / 7);
    expect(share("copa")).toBeLessThan(0.5 * due);
  });

  it("is the same, byte for byte, for the same seed, and another for another", () => {
    const bundles = [{ link: "site", algorithm: "copa" }];
    expect(run(bundles)).toEqual(run(bundles));
    expect(run(bundles, 2).estimates).not.toEqual(run(bundles).estimates);
  });

  it("stands before a link of its own, whose rate is only a bound", () => {
    const check =
      (bundles: unknown, links: unknown = SITE.links) =>
      () =>
        checkTemplate({ ...SITE, links, bundles });
    expect(check([{ link: "forward", algorithm: "copa" }])).toThrow(
      /bundles\.0\.link: got "forward", expected a name of `links`/,
    );
    expect(
      check([
        { link: "site", algorithm: "copa" },
        { link: "site", algorithm: "copa" },
      ]),
    ).toThrow(/bundles\.1\.link/);
    const site = { ...SITE.links.site, rate: { kind: "poisson", mbps: 10 } };
    expect(check([{ link: "site", algorithm: "copa" }], { site })).toThrow(/constant or unlimited/);
  });

  it("names an algorithm that there is, which is known before anything runs", () => {
    const check = (algorithm: string) => () =>
      checkCrossTraffic({ ...SITE, bundles: [{ link: "site", algorithm }] });
    expect(check("copa")).not.toThrow();
    expect(check("cubik")).toThrow(
      /bundles\.0\.algorithm: got `cubik`, expected a known one; did you mean `cubic`/,
    );
  });

  it("is refused in one sentence where its boxes do not stand", () => {
    expect(UDP.refuses({ ...SITE, bundles: [{ link: "site", algorithm: "copa" }] })).toMatch(
      /it has bundles/,
    );
  });
});
