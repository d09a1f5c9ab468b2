import { describe, expect, it } from "vitest";
import { nearestName, UnknownName, unknownName } from "../../core/errors.ts";

describe("an unknown name", () => {
  it("is answered by the shortest that begins so, or by the nearest", () => {
    const known = ["queueDelayMs", "queueDelayP95Ms", "gain", "jainIndex"];
    expect(nearestName("queueDelay", known)).toBe("queueDelayMs");
    expect(nearestName("jain", known)).toBe("jainIndex");
    expect(nearestName("gein", known)).toBe("gain");
    expect(nearestName("ga", ["gate-keeper"])).toBeUndefined();
    expect(nearestName("d", ["c4"])).toBeUndefined();
  });

  it("of many is answered by the nearest, each once", () => {
    const names = Array.from({ length: 50 }, (_, i) => `name-${i}`);
    const error = unknownName("x", "thing", "naaaaaaame", [...names, ...names], undefined, "ccpark explain");
    expect(error).toBeInstanceOf(UnknownName);
    expect(error).toMatchObject({ kind: "not-found", what: "thing", typed: "naaaaaaame" });
    const [, count, listed] = /nearest of (\d+): (.*); `ccpark explain` lists all/.exec(error.message)!;
    expect(count).toBe("50");
    expect(new Set(listed!.split(", ")).size).toBe(6);
  });
});
