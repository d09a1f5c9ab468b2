import { describe, expect, it } from "vitest";
import { FlowDirectory, type FlowTerms } from "../../flows/directory.ts";
import { HandleRegistry } from "../../flows/handle.ts";
import { Lease } from "../../flows/lease.ts";
import { matches } from "../../flows/pattern.ts";
import { WeightTree } from "../../flows/weights.ts";

let word = 0;
const registry = new HandleRegistry(() => ++word);

function terms(parts: Partial<FlowTerms> = {}): FlowTerms {
  return { handle: registry.next(), name: "a/0/flow-0", owner: "me", host: "h", bottleneck: "l", ...parts };
}
const QUOTAS = { flows: 100, flowsPerOwner: 10 };
const names = (entries: readonly { readonly flow: { readonly name: string } }[]): string[] =>
  entries.map(({ flow }) => flow.name);

describe("a directory of flows", () => {
  it("finds flows by wildcards in names and in handles", () => {
    const directory = new FlowDirectory(QUOTAS);
    const all = ["a/0/flow-0", "a/0/flow-1", "a/1/flow-0", "b/0/flow-0"].map((name) =>
      directory.add(terms({ name }), 0),
    );
    expect(names(directory.find())).toEqual(all.map(({ name }) => name));
    expect(names(directory.find({ pattern: "a/*/flow-0" }))).toEqual(["a/0/flow-0", "a/1/flow-0"]);
    expect(names(directory.find({ pattern: "?/0/*-1" }))).toEqual(["a/0/flow-1"]);
    expect(directory.find({ pattern: "c*" })).toEqual([]);
    expect(names(directory.find({ pattern: `*.${`${all[2]!.handle}`.slice(-8)}` }))).toEqual(["a/1/flow-0"]);
    expect(directory.get(all[1]!.handle).flow).toBe(all[1]);
  });

  it("knows scopes: of the same owner, the same host, the same bottleneck, or all", () => {
    const directory = new FlowDirectory(QUOTAS);
    directory.add(terms({ name: "mine" }), 0);
    directory.add(terms({ name: "same host", owner: "other", bottleneck: "k" }), 0);
    directory.add(terms({ name: "same link", owner: "other", host: "g" }), 0);
    const from = { owner: "me", host: "h", bottleneck: "l" };
    expect(names(directory.find({ scope: "self", from }))).toEqual(["mine"]);
    expect(names(directory.find({ scope: "host", from }))).toEqual(["mine", "same host"]);
    expect(names(directory.find({ scope: "bottleneck", from }))).toEqual(["mine", "same link"]);
    expect(directory.find({ scope: "all" })).toHaveLength(3);
    expect(() => directory.find({ scope: "host" })).toThrow("scope: got host without a flow");
  });

  it("forgets flows whose lease has ended and keeps those whose lease was renewed", () => {
    const directory = new FlowDirectory(QUOTAS);
    const kept = directory.add(terms({ name: "kept", leaseUs: 100 }), 0);
    const lost = directory.add(terms({ name: "lost", leaseUs: 100 }), 0);
    directory.add(terms({ name: "for good" }), 0);
    expect(directory.get(kept.handle).lease.renew(90)).toBe(true);
    expect(names(directory.expire(99))).toEqual([]);
    expect(names(directory.expire(100))).toEqual(["lost"]);
    expect(names(directory.find())).toEqual(["kept", "for good"]);
    expect(() => directory.get(lost.handle)).toThrow(`[flows] no flow ${lost.handle}`);
    expect(directory.heldBy("me")).toBe(2);
  });

  it("refuses an owner more than its quota, whatever others have, and all more than there may be", () => {
    const directory = new FlowDirectory({ flows: 5, flowsPerOwner: 3 });
    for (let i = 0; i < 3; i++) directory.add(terms(), 0);
    const failure = (): unknown => {
      try {
        directory.add(terms(), 0);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(failure()).toMatchObject({
      kind: "resource-exhausted",
      message: "[flows] 1 flows more: the client has 3 and may have 3",
    });
    expect(() => directory.checkRoom("you", 1_000_000)).toThrow("the client has 0 and may have 3");
    directory.checkRoom("you", 2);
    expect(() => directory.checkRoom("you", 3)).toThrow("there are 3 and may be 5");
    expect(directory.remove(directory.find()[0]!.flow.handle)).toBe(true);
    expect(failure()).toBeUndefined();
  });

  it("has each handle once", () => {
    const directory = new FlowDirectory(QUOTAS);
    const once = terms();
    directory.add(once, 0);
    expect(() => directory.add(once, 0)).toThrow("is in the directory already");
    expect(directory.remove(once.handle)).toBe(true);
    expect(directory.remove(once.handle)).toBe(false);
  });
});

describe("a pattern", () => {
  it.each([
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["a*", "a", true],
    ["*a*b*", "xxaxxbxx", true],
    ["*ab", "aab", true],
    ["?", "", false],
    ["a.c", "abc", false],
    ["[a]", "a", false],
  ])("%j on %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it("of a thousand stars answers at once", () => {
    expect(matches(`${"*a".repeat(1000)}b`, "a".repeat(5000))).toBe(false);
  });
});

describe("a lease", () => {
  it("ends unless it is renewed, and one that has ended stays so", () => {
    const lease = new Lease(500_000, 1_000_000);
    expect(lease.isOver(1_499_999)).toBe(false);
    expect(lease.renew(1_400_000)).toBe(true);
    expect(lease.endsUs).toBe(1_900_000);
    expect(lease.isOver(1_900_000)).toBe(true);
    expect(lease.renew(1_900_000)).toBe(false);
    expect(() => new Lease(0, 0)).toThrow("[flows] lease: got 0 us, expected more than 0");
  });
});

describe("a flow of flows", () => {
  it("splits by weights, level by level, three levels deep", () => {
    const tree = new WeightTree();
    const c = { name: "c", weight: 3 };
    const z = { name: "z", weight: 3 };
    const members = [
      tree.join([], 1),
      tree.join([], 2),
      tree.join([c], 1),
      tree.join([c], 2),
      tree.join([c, z], 1),
      tree.join([c, z], 2),
      tree.join([c, z], 3),
    ];
    const shares = members.map(({ share }) => share);
    [1 / 6, 2 / 6, 3 / 36, 6 / 36, 9 / 216, 18 / 216, 27 / 216].forEach((share, i) => {
      expect(shares[i]).toBeCloseTo(share, 12);
    });
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  it("gives the part of who leaves to its siblings, and of the last one to those of its aggregate", () => {
    const tree = new WeightTree();
    const alone = tree.join([], 1);
    const inside = [1, 3].map((weight) => tree.join([{ name: "a", weight: 3 }], weight));
    expect(inside.map(({ share }) => share)).toEqual([3 / 16, 9 / 16]);
    inside[0]!.leave();
    inside[0]!.leave();
    expect(inside[1]!.share).toBe(3 / 4);
    inside[1]!.leave();
    expect(alone.share).toBe(1);
  });

  it("refuses weights that are none, and two weights of one aggregate", () => {
    const tree = new WeightTree();
    expect(() => tree.join([], 0)).toThrow("[flows] weight: got 0, expected a number above 0");
    tree.join([{ name: "a", weight: 2 }], 1);
    expect(() => tree.join([{ name: "a", weight: 3 }], 1)).toThrow("weight of a: got 3, expected 2");
  });
});
