/** Each discipline against its own law, in front of a server of constant rate. Random choices come from the printed seed. */
import { describe, expect, it } from "vitest";
import { pow } from "../../../core/math.ts";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import { CE, ECT_0, NOT_ECT } from "../../../sim/general/packet-store.ts";
import { Codel } from "../../../sim/general/queues/codel.ts";
import { bucketOf } from "../../../sim/general/queues/fair/flow-hash.ts";
import { Pie } from "../../../sim/general/queues/pie.ts";
import { Red } from "../../../sim/general/queues/red.ts";
import { harness, QueueHarness, type Source, serveSources } from "./queue-harness.ts";

const SEED = Number(process.env["CCPARK_QUEUE_SEED"] ?? 20260101);
/** 12 Mbit/s: a packet of 1500 bytes takes a millisecond. */
const RATE = 1_500_000;
const MS = NANOS_PER_MILLI;

describe("drop-head", () => {
  it("drops the oldest packets, as many as the newest needs", () => {
    const link = harness({ kind: "drop-head" }, { limit: { packets: 4, bytes: 4000 } });
    const small = [1, 2, 3, 4].map((i) => link.arrive(i, { bytes: 1000 }));
    const large = link.arrive(5, { bytes: 1500 });
    expect(link.dropped).toEqual(small.slice(0, 2));
    const tooLarge = link.arrive(6, { bytes: 4001 });
    expect(link.dropped).toEqual([...small.slice(0, 2), tooLarge]);
    expect([link.take(7), link.take(7), link.take(7), link.take(7)]).toEqual([small[2], small[3], large, -1]);
  });
});

describe("fair disciplines", () => {
  const FAIR: readonly DisciplineSpec[] = [{ kind: "drr" }, { kind: "sfq" }, { kind: "fq-codel" }];
  const DURATION_SEC = 10;

  /** Max-min fair shares of the demands. */
  function fairShares(demands: readonly number[], capacity: number): number[] {
    const order = demands.map((_, i) => i).sort((a, b) => demands[a]! - demands[b]!);
    const shares = new Array<number>(demands.length).fill(0);
    let left = capacity;
    for (const [place, i] of order.entries()) {
      shares[i] = Math.min(demands[i]!, left / (demands.length - place));
      left -= shares[i];
    }
    return shares;
  }

  /** Flow numbers that fall into different buckets of a hash of 1024, which takes its key first from the generator. */
  function flowsApart(count: number, seed: number): number[] {
    const key = Rng.fromSeed(seed).integer(2 ** 32);
    const flows: number[] = [];
    const taken = new Set<number>();
    for (let flow = 0; flows.length < count; flow += 13) {
      const bucket = bucketOf(flow, key, 1024);
      if (!taken.has(bucket)) flows.push(flow);
      taken.add(bucket);
    }
    return flows;
  }

  it.each(FAIR)("$kind: shares within 5 % of max-min for unequal packets and unequal demand", (spec) => {
    const rng = Rng.fromSeed(SEED);
    for (let story = 0; story < 12; story++) {
      const flows = flowsApart(2 + rng.integer(6), SEED + story);
      const sources: Source[] = flows.map((flow) => ({
        flow,
        bytes: 60 + rng.integer(1441),
        rateBytesPerSec: rng.uniform(0.3, 4) * (RATE / flows.length),
      }));
      const link = harness(spec, {
        limit: { packets: 400, bytes: Number.POSITIVE_INFINITY },
        seed: SEED + story,
      });
      serveSources(link, sources, RATE, DURATION_SEC * NANOS_PER_SEC, rng);
      const shares = fairShares(
        sources.map((source) => source.rateBytesPerSec),
        RATE,
      );
      for (const [i, source] of sources.entries()) {
        const share = (link.servedBytes[source.flow!] ?? 0) / DURATION_SEC;
        const error = share / shares[i]! - 1;
        expect(
          Math.abs(error),
          `seed ${SEED}, story ${story}, flow ${i} of ${JSON.stringify(sources)}: ${share}, fair ${shares[i]}`,
        ).toBeLessThan(0.05);
      }
    }
  });

  it("DRR: of flows that always wait none is ahead of another by more than a quantum and two packets", () => {
    const rng = Rng.fromSeed(SEED);
    const link = harness({ kind: "drr" });
    for (let i = 0; i < 2000; i++) {
      for (const [flow, bytes] of [1500, 300, 40 + rng.integer(1461)].entries())
        link.arrive(0, { flow, bytes });
    }
    for (let i = 0; i < 1500; i++) {
      link.serve(i);
      const { servedBytes } = link;
      if (servedBytes.length < 3) continue;
      expect(Math.max(...servedBytes) - Math.min(...servedBytes)).toBeLessThanOrEqual(1514 + 2 * 1500);
    }
  });

  it.each([
    ["drr", "bytes"],
    ["sfq", "packets"],
  ] as const)(
    "%s: the flow with the most %s gives up its newest packet when the limit is passed",
    (kind, by) => {
      const link = harness({ kind }, { limit: { packets: 6, bytes: Number.POSITIVE_INFINITY } });
      const large = [0, 1].map((i) => link.arrive(i, { flow: 1, bytes: 1500 }));
      const small = [2, 3, 4, 5].map((i) => link.arrive(i, { flow: 2, bytes: 100 }));
      link.arrive(6, { flow: 3, bytes: 100 });
      expect(link.dropped).toEqual([by === "bytes" ? large[1] : small[3]]);
    },
  );

  it("FQ-CoDel: the fattest flow loses half its packets from the head, 64 at most", () => {
    const link = harness({ kind: "fq-codel" }, { limit: { packets: 300, bytes: Number.POSITIVE_INFINITY } });
    const fat = Array.from({ length: 200 }, (_, i) => link.arrive(i, { flow: 1, bytes: 1500 }));
    for (let i = 0; i < 100; i++) link.arrive(200 + i, { flow: 2, bytes: 100 });
    expect(link.dropped).toEqual([]);
    link.arrive(300, { flow: 3, bytes: 100 });
    expect(link.dropped).toEqual(fat.slice(0, 64));

    const short = harness({ kind: "fq-codel" }, { limit: { packets: 10, bytes: Number.POSITIVE_INFINITY } });
    const first = Array.from({ length: 11 }, (_, i) => short.arrive(i, { flow: 1 }));
    expect(short.dropped).toEqual(first.slice(0, 6));
  });

  it("FQ-CoDel: holds 10240 packets where the link gives no limit", () => {
    const link = harness({ kind: "fq-codel" });
    for (let i = 0; i < 10_240; i++) link.arrive(i, { flow: i % 50 });
    expect(link.dropped).toHaveLength(0);
    link.arrive(10_240, { flow: 0 });
    expect(link.dropped).toHaveLength(64);
  });

  it("FQ-CoDel: a sparse flow is served before flows that wait, a flow that comes back at once is not", () => {
    const link = harness({ kind: "fq-codel" });
    for (let i = 0; i < 10; i++) for (const flow of [1, 2]) link.arrive(0, { flow });
    for (let i = 0; i < 4; i++) link.serve(i);
    const sparse = link.arrive(5, { flow: 3, bytes: 100 });
    expect(link.take(5)).toBe(sparse);
    // at the next look its line was empty, so it went behind the others, and what it brings now waits there
    link.serve(6);
    const back = link.arrive(6, { flow: 3, bytes: 1500 });
    const later = [7, 8, 9, 10].map((nowNs) => link.take(nowNs));
    expect(later.indexOf(back)).toBeGreaterThan(0);
  });

  it("SFQ: flows of one bucket part when the hash changes, in order and without loss", () => {
    const link = harness({ kind: "sfq", buckets: 2, perturbSec: 1 }, { seed: SEED });
    const served = new Set<string>();
    for (let second = 0; second < 40; second++) {
      for (const flow of [1, 1, 1, 2, 2, 2]) link.arrive(second * NANOS_PER_SEC, { flow });
      const order: number[] = [];
      for (let i = 0; i < 6; i++) order.push(link.store.flow[link.take(second * NANOS_PER_SEC)]!);
      served.add(order.join(""));
      expect(order.toSorted()).toEqual([1, 1, 1, 2, 2, 2]);
    }
    expect(link.queue.packets).toBe(0);
    // in one bucket in the order of arrival, in two in turns
    expect(served).toContain("111222");
    expect(served.size).toBeGreaterThan(1);
  });
});

describe("strict priority", () => {
  it("serves a band only while those before it are empty", () => {
    const link = harness(
      { kind: "strict-priority" },
      { limit: { packets: 50, bytes: Number.POSITIVE_INFINITY } },
    );
    const sources: Source[] = [
      { flow: 0, priority: 2, rateBytesPerSec: RATE },
      { flow: 1, priority: 0, rateBytesPerSec: 0.7 * RATE },
      { flow: 2, priority: 1, rateBytesPerSec: 0.5 * RATE },
    ];
    serveSources(link, sources, RATE, 10 * NANOS_PER_SEC, Rng.fromSeed(SEED));
    const [last, first, second] = link.servedBytes;
    expect(first! / (10 * RATE)).toBeCloseTo(0.7, 2);
    expect(second! / (10 * RATE)).toBeCloseTo(0.3, 2);
    expect((last ?? 0) / (10 * RATE)).toBeLessThan(0.005);
  });

  it("drops the newest packet of the last band that waits", () => {
    const link = harness(
      { kind: "strict-priority" },
      { limit: { packets: 3, bytes: Number.POSITIVE_INFINITY } },
    );
    link.arrive(0, { priority: 1 });
    link.arrive(0, { priority: 7 });
    const newest = link.arrive(0, { priority: 7 });
    link.arrive(0, { priority: 0 });
    expect(link.dropped).toEqual([newest]);
    const lowest = link.arrive(0, { priority: 9 });
    expect(link.dropped).toEqual([newest, lowest]);
  });
});

describe("step marking", () => {
  it.each([
    [{ kind: "step-mark", thresholdPackets: 3 }, 3],
    [{ kind: "step-mark", thresholdBytes: 4500 }, 3],
    [{ kind: "step-mark" }, 65],
  ] as const)(
    "%j: marks the packet that finds more than the threshold, and nothing that cannot be marked",
    (spec, k) => {
      const link = harness(spec, { limit: { packets: k + 4, bytes: Number.POSITIVE_INFINITY } });
      const packets = Array.from({ length: k + 5 }, (_, i) =>
        link.arrive(i, { ecn: i === k + 2 ? NOT_ECT : ECT_0 }),
      );
      const expected = packets.map((_, i) => (i === k + 2 ? NOT_ECT : i > k && i < k + 4 ? CE : ECT_0));
      expect(packets.map((packet) => link.store.ecn[packet])).toEqual(expected);
      expect(link.queue.marked).toBe(2);
      expect(link.dropped).toEqual([packets[k + 4]]);
    },
  );
});

describe("RED", () => {
  const OPTIONS = { minPackets: 5, maxPackets: 15, maxProbability: 0.1, weight: 0.002 };
  const red = (options: ConstructorParameters<typeof Red>[1], meanPacketNs?: number) =>
    new QueueHarness((parts) => new Red(parts, options, Rng.fromSeed(SEED), meanPacketNs));

  /** Fills the queue to `packets` and keeps it there; returns the gaps between drops since then, counted in arrivals. */
  function hold(link: QueueHarness<Red>, packets: number, arrivals: number): number[] {
    const gaps: number[] = [];
    let since = 0;
    for (let i = 0; i < arrivals; i++) {
      if (link.queue.packets < packets) {
        gaps.length = 0;
        since = 0;
      }
      const before = link.dropped.length;
      link.arrive(i);
      since++;
      if (link.dropped.length > before) {
        gaps.push(since);
        since = 0;
      }
      while (link.queue.packets > packets) link.take(i);
    }
    return gaps;
  }

  it("averages as q (1 - (1 - w)^n) and forgets as (1 - w)^m over an idle time of m packets", () => {
    const link = red({ ...OPTIONS, minPackets: 100, maxPackets: 300 }, MS);
    hold(link, 20, 1000);
    // the queue grew by one per arrival up to 20, and was 20 from then on
    let average = 0;
    for (let n = 0; n < 1000; n++) average += 0.002 * (Math.min(n, 20) - average);
    expect(link.queue.averagePackets).toBeCloseTo(average, 9);
    while (link.queue.packets > 0) link.take(2000);
    link.arrive(2000 + 500 * MS);
    expect(link.queue.averagePackets).toBeCloseTo(average * pow(1 - 0.002, 500), 9);
  });

  it.each([
    ["half-way between the thresholds", { ...OPTIONS }, 10, 0.05],
    ["just below the upper threshold without gentle mode", { ...OPTIONS, gentle: false }, 14, 0.09],
    ["above the upper threshold in gentle mode", { ...OPTIONS, maxPackets: 16 }, 20, 0.1 + 0.9 / 4],
    ["far above the upper threshold in gentle mode", { ...OPTIONS, maxPackets: 16 }, 24, 0.1 + 0.9 / 2],
  ])("%s drops with gaps uniform in 1 to 1/p packets", (_where, options, queue, p) => {
    // a weight of 1 makes the average the queue itself
    const steady = hold(red({ ...options, weight: 1 }), queue, 200_000);
    // every gap up to 1/p has probability p, and the next one what is left
    const longest = Math.floor(1 / p + 1e-9);
    const counts = new Array<number>(longest + 2).fill(0);
    for (const gap of steady) counts[gap] = (counts[gap] ?? 0) + 1;
    expect(counts, `seed ${SEED}`).toHaveLength(longest + 2);
    for (let gap = 1; gap <= longest; gap++) {
      const error = counts[gap]! / steady.length - p;
      expect(Math.abs(error), `seed ${SEED}, gap ${gap}`).toBeLessThan(
        4 * Math.sqrt((p * (1 - p)) / steady.length),
      );
    }
  });

  it("drops everything from the last threshold on: the upper one, or twice that in gentle mode", () => {
    for (const [gentle, queue] of [
      [false, 15],
      [true, 30],
    ] as const) {
      const link = red({ ...OPTIONS, gentle, weight: 1 });
      for (let i = 0; link.queue.packets < queue && i < 10_000; i++) link.arrive(i);
      const before = link.dropped.length;
      for (let i = 0; i < 100; i++) link.arrive(i, { ecn: ECT_0 });
      expect(link.dropped.length - before).toBe(100);
    }
  });

  it("marks in place of early drops, at the same packets", () => {
    const dropping = red({ ...OPTIONS, weight: 1 });
    const marking = red({ ...OPTIONS, weight: 1, ecn: true });
    for (let i = 0; i < 8; i++) for (const link of [dropping, marking]) link.arrive(i);
    const forced = dropping.dropped.length;
    for (let i = 0; i < 5000; i++) {
      const before = dropping.dropped.length;
      dropping.arrive(i);
      const packet = marking.arrive(i, { ecn: ECT_0 });
      const dropped = dropping.dropped.length > before;
      expect(marking.store.ecn[packet]).toBe(dropped ? CE : ECT_0);
      if (!dropped) dropping.take(i);
      marking.take(i);
    }
    expect(marking.queue.marked).toBeGreaterThan(100);
    expect(dropping.dropped.length - forced).toBe(marking.queue.marked);
    expect(marking.dropped).toHaveLength(forced);
  });
});

describe("CoDel", () => {
  /** When packets are dropped or marked of a source of 1.2 times the link's rate that does not react. */
  function signals(ecn: boolean): { readonly link: QueueHarness<Codel>; readonly atNs: readonly number[] } {
    const link = new QueueHarness((parts) => new Codel(parts, { ecn }));
    const atNs: number[] = [];
    let arrivalNs = 0;
    for (let nowNs = 0; nowNs < 6 * NANOS_PER_SEC; nowNs += MS) {
      for (; arrivalNs <= nowNs; arrivalNs += MS / 1.2)
        link.arrive(arrivalNs, { ecn: ecn ? ECT_0 : NOT_ECT });
      link.take(nowNs);
      while (atNs.length < link.dropped.length + link.queue.marked) atNs.push(nowNs);
    }
    return { link, atNs };
  }

  it.each([
    ["drops", false],
    ["marks", true],
  ] as const)(
    "%s first after an interval above the target, then at gaps of interval / sqrt(count)",
    (_how, ecn) => {
      const { link, atNs } = signals(ecn);
      expect(ecn ? link.dropped.length : link.queue.marked).toBe(0);
      // a packet waits for 5 ms from 30 ms on (it gains 1/6 ms per millisecond), so 100 ms later is the first drop
      expect(atNs[0]! / MS).toBeGreaterThanOrEqual(130);
      expect(atNs[0]! / MS).toBeLessThanOrEqual(135);
      let dueNs = atNs[0]!;
      for (let count = 1; count < 200; count++) {
        dueNs += (100 * MS) / Math.sqrt(count);
        // the server takes packets at whole milliseconds
        expect(atNs[count]! - dueNs, `drop ${count}`).toBeGreaterThanOrEqual(-1e-3);
        expect(atNs[count]! - dueNs, `drop ${count}`).toBeLessThan(MS + 1e-3);
      }
    },
  );

  it("goes on at the last drop rate when the queue stands again soon, and from the beginning when it does not", () => {
    for (const [pauseSec, resumes] of [
      [0.5, true],
      [5, false],
    ] as const) {
      const link = new QueueHarness((parts) => new Codel(parts, {}));
      let nowNs = 0;
      let arrivalNs = 0;
      const busy = (spanSec: number): void => {
        const untilNs = nowNs + spanSec * NANOS_PER_SEC;
        arrivalNs = nowNs;
        for (; nowNs < untilNs; nowNs += MS) {
          for (; arrivalNs <= nowNs; arrivalNs += MS / 1.2) link.arrive(arrivalNs);
          link.take(nowNs);
        }
      };
      busy(2);
      const episode = link.dropped.length;
      expect(episode).toBeGreaterThan(10);
      while (link.take(nowNs) >= 0) nowNs += MS / 100;
      nowNs += pauseSec * NANOS_PER_SEC;
      const before = link.droppedAtNs.length;
      busy(1);
      const [first, second] = link.droppedAtNs.slice(before);
      const gapMs = (second! - first!) / MS;
      if (resumes) expect(gapMs).toBeLessThan(100 / Math.sqrt(episode - 3) + 2);
      else {
        expect(gapMs).toBeGreaterThanOrEqual(100 - 1e-6);
        expect(gapMs).toBeLessThan(101);
      }
    }
  });

  it("leaves a queue alone that is shorter than the target or holds no more than one packet", () => {
    const link = new QueueHarness((parts) => new Codel(parts, {}));
    for (let i = 0; i < 20_000; i++) {
      link.arrive(i * 10 * MS);
      if (i > 0) link.take(i * 10 * MS + 6 * MS); // 16 ms behind its arrival, with one other packet
    }
    expect(link.dropped).toEqual([]);
  });
});

describe("PIE", () => {
  it("holds the delay near its target under load that gives way to drops", () => {
    for (const ecn of [false, true]) {
      const link = new QueueHarness((parts) => new Pie(parts, { ecn }, Rng.fromSeed(SEED)), {
        limit: { packets: 1000, bytes: Number.POSITIVE_INFINITY },
      });
      // eight windows with additive increase and multiplicative decrease, 60 ms of round trip without the queue
      const windows = new Array<number>(8).fill(10);
      const inflight = new Array<number>(8).fill(0);
      const decreasedNs = new Array<number>(8).fill(0);
      /** returns to the sources: when, whose, congested */
      const returns: { readonly atNs: number; readonly flow: number; readonly congested: boolean }[] = [];
      const delays: number[] = [];
      let seen = 0;
      for (let nowNs = 0; nowNs < 60 * NANOS_PER_SEC; nowNs += MS) {
        while (returns.length > 0 && returns[0]!.atNs <= nowNs) {
          const { flow, congested } = returns.shift()!;
          inflight[flow]!--;
          if (!congested) windows[flow]! += 1 / windows[flow]!;
          else if (nowNs - decreasedNs[flow]! > 80 * MS) {
            windows[flow] = Math.max(2, windows[flow]! / 2);
            decreasedNs[flow] = nowNs;
          }
        }
        for (let flow = 0; flow < 8; flow++) {
          while (inflight[flow]! + 1 <= windows[flow]!) {
            inflight[flow]!++;
            link.arrive(nowNs, { flow, ecn: ecn ? ECT_0 : NOT_ECT });
            for (; seen < link.dropped.length; seen++) {
              returns.push({ atNs: nowNs + 60 * MS, flow, congested: true });
            }
          }
        }
        const packet = link.take(nowNs);
        if (packet < 0) continue;
        const { store } = link;
        returns.push({
          atNs: nowNs + 60 * MS,
          flow: store.flow[packet]!,
          congested: store.ecn[packet] === CE,
        });
        if (nowNs > 10 * NANOS_PER_SEC) delays.push(nowNs - store.enqueuedNs[packet]!);
      }
      delays.sort((a, b) => a - b);
      const medianMs = delays[delays.length >> 1]! / MS;
      expect(medianMs, `median delay, ecn ${ecn}`).toBeGreaterThan(7.5);
      expect(medianMs, `median delay, ecn ${ecn}`).toBeLessThan(22.5);
      expect(delays.length).toBeGreaterThan(0.9 * 50_000);
      expect(ecn ? link.queue.marked : link.dropped.length).toBeGreaterThan(50);
    }
  });

  it("gives the probability of the RFC's equation, update by update, whenever it is asked", () => {
    const steps = (often: boolean): number[] => {
      const link = new QueueHarness((parts) => new Pie(parts, {}, Rng.fromSeed(SEED)));
      for (let i = 0; i < 400; i++) link.arrive(0);
      const probabilities: number[] = [];
      for (let i = 0; i < 20; i++) {
        link.take(i * 15 * MS + 10 * MS); // waited 10, 25, 40 ... ms
        probabilities.push(link.queue.dropProbability);
        if (often) for (let k = 11; k < 25; k++) link.arrive(i * 15 * MS + k * MS);
      }
      return probabilities;
    };
    let probability = 0;
    let oldSec = 0;
    const expected: number[] = [0];
    for (let i = 1; i < 20; i++) {
      const delaySec = 0.015 * (i - 1) + 0.01;
      let step = 0.125 * (delaySec - 0.015) + 1.25 * (delaySec - oldSec);
      const exponent = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1].findIndex((bound) => probability < bound);
      step /= [2048, 512, 128, 32, 8, 2, 1].at(exponent)!;
      if (probability >= 0.1 && step > 0.02) step = 0.02;
      probability = Math.min(1, Math.max(0, probability + step));
      oldSec = delaySec;
      expected.push(probability);
    }
    const got = steps(false);
    for (const [i, p] of expected.entries()) expect(got[i]).toBeCloseTo(p, 12);
    expect(steps(true)).toEqual(got);
  });

  it("lets a burst of 150 ms pass, and is calm again after a pause of any length", () => {
    const link = new QueueHarness((parts) => new Pie(parts, {}, Rng.fromSeed(SEED)));
    const overload = (fromNs: number): number | undefined => {
      const before = link.droppedAtNs.length;
      let arrivalNs = fromNs;
      for (let nowNs = fromNs; nowNs < fromNs + 2 * NANOS_PER_SEC; nowNs += MS) {
        for (; arrivalNs <= nowNs; arrivalNs += MS / 2) link.arrive(arrivalNs);
        link.take(nowNs);
      }
      while (link.take(fromNs + 2 * NANOS_PER_SEC) >= 0);
      const first = link.droppedAtNs[before];
      return first === undefined ? undefined : (first - fromNs) / MS;
    };
    const first = overload(0);
    expect(first).toBeGreaterThanOrEqual(150);
    expect(first).toBeLessThan(600);
    const second = overload(100_000 * NANOS_PER_SEC);
    // the allowance is used up in whole updates, and this overload began between two
    expect(second).toBeGreaterThanOrEqual(150 - 15);
    expect(second).toBeLessThan(600);
  });

  it("marks up to a probability of 10 % and drops above it", () => {
    const link = new QueueHarness((parts) => new Pie(parts, { ecn: true }, Rng.fromSeed(SEED)));
    let arrivalNs = 0;
    let marksBelow = 0;
    for (let nowNs = 0; nowNs < 20 * NANOS_PER_SEC; nowNs += MS) {
      for (; arrivalNs <= nowNs; arrivalNs += MS / 1.5) {
        const { marked } = link.queue;
        const drops = link.dropped.length;
        link.arrive(arrivalNs, { ecn: ECT_0 });
        if (link.queue.marked > marked) {
          expect(link.queue.dropProbability).toBeLessThanOrEqual(0.1);
          marksBelow++;
        }
        if (link.dropped.length > drops) expect(link.queue.dropProbability).toBeGreaterThan(0.1);
      }
      link.take(nowNs);
    }
    expect(marksBelow).toBeGreaterThan(0);
    expect(link.dropped.length).toBeGreaterThan(1000);
  });
});
