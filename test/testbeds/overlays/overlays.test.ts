/** Overlays: what each scenario's experiment must show, by its own claims; and that a seed is a run. */
import { describe, it } from "vitest";
import { expectClaims, outcomeOf } from "./experiment-claims.ts";

const SCENARIOS = [
  "relay-chain",
  "multipath-4",
  "ron-outage-3",
  "ron-mesh-13",
  "ron-everyone-20",
  "anycast-4x20",
  "esm-stress",
  "esm-adapt-noise",
  "esm-dsl-4",
  "overcast-60",
  "campus-100",
  "kofn-fetch",
  "dht-rpc",
];

describe.each(SCENARIOS)("%s", (name) => {
  it("holds what it claims, in at most a minute of CPU", { timeout: 180_000 }, async () => {
    expectClaims(await outcomeOf(name));
  });
});
