/** The algorithms that there are: written once, run on any datapath. What lists or explains algorithms reads this table. */
import { bbr } from "./ccp/bbr.ts";
import { cubic } from "./ccp/cubic.ts";
import { dctcp } from "./ccp/dctcp.ts";
import { reno } from "./ccp/reno.ts";
import { vegas } from "./ccp/vegas.ts";
import { portusBbrSpec, portusConstSpec, portusRenoSpec, portusVegasSpec } from "./portus/index.ts";
import type { AlgorithmSpec } from "./spec.ts";

/** Order: as `ccpark explain algorithms` prints them. */
const TABLE: readonly AlgorithmSpec[] = [
  reno,
  cubic,
  dctcp,
  vegas,
  bbr,
  portusRenoSpec,
  portusVegasSpec,
  portusConstSpec,
  portusBbrSpec,
];

export const ALGORITHMS: ReadonlyMap<string, AlgorithmSpec> = new Map(TABLE.map((spec) => [spec.name, spec]));
