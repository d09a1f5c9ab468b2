/** What two ends agree on, what passes make of a stack, and random datagrams. */
import { describe, expect, it } from "vitest";
import {
  cc,
  compress,
  encrypt,
  frame,
  local,
  memory,
  negotiate,
  nothing,
  once,
  optimise,
  order,
  reliable,
  type Slot,
  sack,
  select,
  serialise,
  stack,
} from "../../transport/index.ts";
import { fuzzTransport } from "../fuzz/transport/main.ts";
import { feed, Pair, text } from "./pair.ts";

const names = (specs: readonly { readonly name: string }[]): string =>
  specs.map(({ name }) => name).join(", ");

describe("negotiate", () => {
  const secret = encrypt({ secret: "s" });

  it("takes what both have, and leaves to each end what is its own matter", () => {
    const client: Slot[] = [
      order(),
      reliable(),
      cc({ algorithm: "copa" }),
      sack(),
      select(secret, nothing()),
      memory(),
    ];
    const server: Slot[] = [
      order(),
      reliable(),
      cc({ algorithm: "reno" }),
      sack(),
      select(nothing(), secret),
      memory(),
    ];
    const agreed = negotiate(client, server);
    expect(names(agreed.client)).toBe("order, reliable, cc, sack, encrypt, memory");
    expect(agreed.server[2]!.options["algorithm"]).toBe("reno");
    const pair = new Pair(agreed.client, 1, { delayUs: 1000, lossRate: 0.1 }, agreed.server);
    feed(pair.client, ["a", "b", "c"].map(text));
    pair.run(10);
    expect(pair.server.texts).toEqual(["a", "b", "c"]);
  });

  it("lets the server choose where its policy says so", () => {
    const client: Slot[] = [sack(), select(secret, nothing()), memory()];
    const server: Slot[] = [sack(), select(nothing(), secret, "server"), memory()];
    expect(names(negotiate(client, server).client)).toBe("sack, memory");
  });

  it("names what does not fit", () => {
    expect(() => negotiate([serialise(), memory()], [serialise({ codec: "binary" }), memory()])).toThrow(
      "[transport] negotiation, chunnel 0 that both ends must have: the client offers serialise (codec json), the server serialise (codec binary)",
    );
    expect(() => negotiate([sack(), frame(), memory()], [sack(), memory()])).toThrow(
      "chunnel 1 that both ends must have: the client offers frame (frame-1), the server nothing",
    );
  });
});

describe("optimise", () => {
  it("rewrites what its patterns find, and says what it did", () => {
    const before = stack(
      once(),
      order(),
      compress(),
      compress(),
      nothing(),
      reliable(),
      sack(),
      encrypt({ secret: "s" }),
      local(),
      memory(),
    );
    const { stack: after, applied } = optimise(before);
    expect(names(after)).toBe("order, compress, reliable, sack, private-unless-local, memory");
    expect(applied).toEqual([
      "drop-nothing",
      "drop-double-compression",
      "drop-once-above-order",
      "fuse-private-local",
    ]);
    const pair = new Pair(after, 1, { delayUs: 1000, lossRate: 0.1, duplicateRate: 0.1 });
    feed(pair.client, ["a", "b", "c"].map(text));
    pair.run(10);
    expect(pair.server.texts).toEqual(["a", "b", "c"]);
  });

  it("leaves alone what would vouch for less", () => {
    const lossy = {
      name: "lossy",
      summary: "",
      pattern: ["reliable"],
      changesWire: false,
      replacement: () => [],
    };
    const before = stack(reliable(), sack(), memory());
    expect(optimise(before, [lossy])).toEqual({ stack: before, applied: [] });
  });
});

it("random, cut, changed and repeated datagrams do no harm", () => {
  expect(fuzzTransport(20_000, 11)).toEqual({ datagrams: 20_000, messages: 2_000, changes: 2_000 });
}, 60_000);
