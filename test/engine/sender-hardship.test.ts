/** A finite flow gets through whatever the path does, under every combination of options; failures print the seed. */
import { describe, expect, it } from "vitest";
import { reno } from "../../algorithms/native/reno.ts";
import { Rng } from "../../core/random.ts";
import { MSS_BYTES } from "../../core/units.ts";
import { Sender } from "../../engine/sender.ts";
import { initialCwndBytes, type SenderOptions } from "../../scenarios/sender-options.ts";

const PACKETS = 300;
const ONE_WAY_NS = 10e6;
const MAX_EVENTS = 20_000;

interface Event {
  readonly atNs: number;
  readonly run: () => void;
}

/** Drops, delays, copies and marks packets, loses and reorders ACKs. */
function transfer(seed: number, options: SenderOptions): Sender {
  const rng = Rng.fromSeed(seed);
  const [loss, jitter, copies] = [0.1 * rng.next(), 2 * rng.next(), 0.1 * rng.next()];
  const control = reno({ nowUs: 0, mssBytes: MSS_BYTES, initialCwndBytes: initialCwndBytes(options) });
  const sender = new Sender(control, 0, options);
  sender.withdraw(0);
  sender.supply(PACKETS, 0);
  sender.finish();
  const received = new Set<number>();
  let events: Event[] = [];
  const after = (nowNs: number, run: (atNs: number) => void): void => {
    const atNs = nowNs + ONE_WAY_NS * (1 + jitter * rng.next() ** 4);
    events.push({ atNs, run: () => run(atNs) });
  };
  const arrive = (txn: number, sequence: number) => (nowNs: number) => {
    sender.markArrival(txn, nowNs, !received.has(sequence), rng.next() < 0.05);
    received.add(sequence);
    const { arrivals } = sender;
    if (rng.next() >= loss) after(nowNs, (atNs) => sender.onAck(atNs, arrivals));
  };
  for (let count = 0; count < MAX_EVENTS && !sender.complete; count++) {
    const next = events.reduce((first, event) => Math.min(first, event.atNs), Number.POSITIVE_INFINITY);
    const nowNs = Math.min(next, sender.sendAtNs, sender.timerAtNs);
    expect(nowNs, `seed ${seed}: stuck`).toBeLessThan(Number.POSITIVE_INFINITY);
    if (next === nowNs) {
      const due = events.find((event) => event.atNs === next)!;
      events = events.filter((event) => event !== due);
      due.run();
    } else if (sender.sendAtNs === nowNs) {
      const txn = sender.transmit(nowNs);
      const sequence = sender.sequenceOf(txn);
      if (rng.next() >= loss) after(nowNs, arrive(txn, sequence));
      if (rng.next() < copies) after(nowNs, arrive(txn, sequence));
    } else {
      sender.onTimer(nowNs);
    }
    if (sender.inflightPackets < 0) throw new Error(`seed ${seed}: ${sender.inflightPackets} in flight`);
  }
  return sender;
}

const COMBINATIONS: readonly SenderOptions[] = (["packet-threshold", "rack-tlp"] as const).flatMap(
  (lossDetection) =>
    (["off", "rfc6937", "rfc9937"] as const).flatMap((prr) =>
      ([false, true] as const).map((undo) => ({
        lossDetection,
        prr,
        undo,
        ecn: undo ? "classic" : "accurate",
      })),
    ),
);

describe("a path that drops, reorders, copies and marks", () => {
  it.each(COMBINATIONS)("delivers a finite flow: $lossDetection, PRR $prr, undo $undo", (options) => {
    for (let seed = 1; seed <= 15; seed++) {
      const sender = transfer(seed, options);
      expect([seed, sender.complete, sender.inflightPackets]).toEqual([seed, true, 0]);
      expect(sender.deliveredPackets).toBe(PACKETS);
      expect(sender.timerAtNs).toBe(Number.POSITIVE_INFINITY);
    }
  });
});
