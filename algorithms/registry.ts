/** The algorithms that there are: written once, run on any datapath. What lists or explains algorithms reads this table. */

import { bbr } from "./ccp/bbr.ts";
import { bbr3 } from "./ccp/bbr3.ts";
import { cdg } from "./ccp/cdg.ts";
import { copa } from "./ccp/copa.ts";
import { cubic } from "./ccp/cubic.ts";
import { dctcp } from "./ccp/dctcp.ts";
import { aggregate } from "./ccp/groups/aggregate.ts";
import { htcp } from "./ccp/htcp.ts";
import { illinois } from "./ccp/illinois.ts";
import { dtl } from "./ccp/ledbat/dtl.ts";
import { ledbat } from "./ccp/ledbat/ledbat.ts";
import { dtlLedbat } from "./ccp/ledbat/ledbat-dtl.ts";
import { ledbatPlusPlus } from "./ccp/ledbat/ledbat-plus-plus.ts";
import { gcc } from "./ccp/media/gcc.ts";
import { scream } from "./ccp/media/scream.ts";
import { tfrc } from "./ccp/media/tfrc.ts";
import { nimbus } from "./ccp/nimbus/nimbus.ts";
import { pccAllegro } from "./ccp/pcc/allegro.ts";
import { vivace } from "./ccp/pcc/vivace.ts";
import { prague } from "./ccp/prague.ts";
import { reno } from "./ccp/reno.ts";
import { sprout } from "./ccp/sprout.ts";
import { swift } from "./ccp/swift.ts";
import { vegas } from "./ccp/vegas.ts";
import { westwood } from "./ccp/westwood.ts";
import { portusBbrSpec, portusConstSpec, portusRenoSpec, portusVegasSpec } from "./portus/index.ts";
import type { AlgorithmSpec } from "./spec.ts";

/** Order: as `ccpark explain algorithms` prints them. */
const TABLE: readonly AlgorithmSpec[] = [
  reno,
  cubic,
  westwood,
  illinois,
  htcp,
  cdg,
  dctcp,
  prague,
  vegas,
  ledbat,
  dtlLedbat,
  dtl,
  aggregate,
  ledbatPlusPlus,
  copa,
  swift,
  tfrc,
  gcc,
  scream,
  bbr,
  bbr3,
  pccAllegro,
  vivace,
  sprout,
  nimbus,
  portusRenoSpec,
  portusVegasSpec,
  portusConstSpec,
  portusBbrSpec,
];

export const ALGORITHMS: ReadonlyMap<string, AlgorithmSpec> = new Map(TABLE.map((spec) => [spec.name, spec]));
