import { describe, expect, it } from "vitest";
import { Alarm, monotonicNs } from "../../../testbeds/real-time/alarm.ts";

const MILLI = 1_000_000n;
const ROUNDS = 200;

describe("an alarm", () => {
  it("rings for a later time that takes the place of one that has rung already", async () => {
    let rounds = 0;
    await new Promise<void>((resolve, reject) => {
      let due = monotonicNs() + MILLI;
      const alarm: Alarm = new Alarm(() => {
        if (++rounds === ROUNDS) {
          alarm.close().then(resolve, reject);
          return;
        }
        // as a run does whose calls schedule others before it settles: the time that has passed, and then the next
        alarm.set(due);
        const until = monotonicNs() + BigInt(rounds % 3) * 100_000n;
        while (monotonicNs() < until);
        due = monotonicNs() + MILLI;
        alarm.set(due);
      }, reject);
      alarm.set(due);
    });
    expect(rounds).toBe(ROUNDS);
  });

  it("never rings for a time that was taken back", async () => {
    let rings = 0;
    const alarm = new Alarm(
      () => rings++,
      () => {},
    );
    for (let i = 0; i < 20; i++) {
      alarm.set(monotonicNs() + 50n * MILLI);
      alarm.set(undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    await alarm.close();
    expect(rings).toBe(0);
  });
});
