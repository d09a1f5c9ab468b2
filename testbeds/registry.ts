/** The worlds that there are, by name. */
import { unknownName } from "../core/errors.ts";
import { EMULATED } from "./emulated/emulated.ts";
import { LINUX, LINUX_PACING } from "./linux/linux.ts";
import { MAHIMAHI } from "./mahimahi/mahimahi.ts";
import { SIMULATED } from "./simulated/simulated.ts";
import type { Testbed } from "./testbed.ts";
import { UDP } from "./udp/udp.ts";

export const TESTBEDS: ReadonlyMap<string, Testbed> = new Map(
  [SIMULATED, UDP, EMULATED, MAHIMAHI, LINUX, LINUX_PACING].map((testbed): [string, Testbed] => [
    testbed.name,
    testbed,
  ]),
);

export const DEFAULT_TESTBED: string = SIMULATED.name;

/** @throws CcparkError (not-found) with the nearest name */
export function findTestbed(name: string): Testbed {
  const testbed = TESTBEDS.get(name);
  if (testbed === undefined) throw unknownName("testbed", "testbed", name, [...TESTBEDS.keys()]);
  return testbed;
}
