import { describe, expect, it } from "vitest";
import { slowAckPath } from "../../scenarios/estimates/ack-path.ts";
import { makeLink } from "../../scenarios/links.ts";

const link = makeLink({ name: "mine", mbps: 48, rttMs: 20 });
const faster = (mbps: number) => ({
  ...link,
  forward: { ...link.forward, rate: { kind: "constant" as const, mbps } },
});

describe("the ACK direction", () => {
  it("keeps up with a link of its own rate, and with any where it has no limit", () => {
    expect(slowAckPath(link)).toBeUndefined();
    expect(slowAckPath(faster(2_000))).toBeUndefined();
    const unlimited = {
      ...faster(400_000),
      reverse: { ...link.reverse, rate: { kind: "unlimited" as const } },
    };
    expect(slowAckPath(unlimited)).toBeUndefined();
  });

  it("is the bottleneck of a link that was made much faster, in one sentence", () => {
    expect(slowAckPath(faster(10_000))).toBe(
      "mine: ACKs of 10000 Mbit/s need 173 Mbit/s, but `reverse.rate` has 48: the ACK direction is the bottleneck",
    );
  });
});
