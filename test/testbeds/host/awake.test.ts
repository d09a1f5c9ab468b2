import { accessSync, closeSync, constants, openSync, readSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { keepAwake } from "../../../testbeds/host/awake.ts";

const LATENCY = "/dev/cpu_dma_latency";

function isRefused(): boolean {
  try {
    accessSync(LATENCY, constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

/** Microseconds that an idle processor may take to wake up, by the least of what all processes ask for. */
function allowedUs(): number {
  const file = openSync(LATENCY, "r");
  try {
    const value = new Int32Array(1);
    readSync(file, value);
    return value[0]!;
  } finally {
    closeSync(file);
  }
}

// the value is the machine's: another process may hold it
describe.skipIf(isRefused() || allowedUs() === 0)("processors that are kept awake", () => {
  it("may sleep again when it is undone", () => {
    const before = allowedUs();
    const sleepAgain = keepAwake();
    expect(allowedUs()).toBe(0);
    sleepAgain();
    expect(allowedUs()).toBe(before);
  });
});
