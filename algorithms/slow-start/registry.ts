/** The slow starts that there are, where they may run, and the parameters by which an algorithm's users choose. */
import type { AlgorithmParam, ParamValues } from "../spec.ts";
import { HYSTART } from "./hystart.ts";
import { HYSTART_PLUS_PLUS } from "./hystart-plus-plus.ts";
import { SEARCH } from "./search.ts";
import type { SlowStart } from "./slow-start.ts";
import { STANDARD } from "./standard.ts";

export const SLOW_STARTS: readonly SlowStart[] = [STANDARD, HYSTART, HYSTART_PLUS_PLUS, SEARCH];

/** Where a CCP flow's slow start runs (thesis of A. Narayan, 4.4.4). */
export const SLOW_START_PLACES = ["agent", "datapath", "datapath-rate"] as const;
export type SlowStartPlace = (typeof SLOW_START_PLACES)[number];
/** `auto`: in the datapath, as a rate for the kinds that want pacing */
const PLACE_CHOICES = ["auto", ...SLOW_START_PLACES] as const;

/** @param name of the kind that an algorithm has unless another is chosen */
export function slowStartParams(name: string): readonly AlgorithmParam[] {
  const choices = SLOW_STARTS.map((each) => each.name);
  return [
    {
      name: "slowStart",
      unit: "1",
      low: 0,
      high: choices.length - 1,
      default: choices.indexOf(name),
      whole: true,
      choices,
      why: "what ends slow start before a loss: nothing (RFC 5681), HyStart as in Linux, HyStart++ (RFC 9406), or SEARCH (draft-chung-ccwg-search)",
    },
    {
      name: "slowStartIn",
      unit: "1",
      low: 0,
      high: PLACE_CHOICES.length - 1,
      default: PLACE_CHOICES.indexOf("auto"),
      whole: true,
      choices: PLACE_CHOICES,
      why: "over CCP: the agent doubles the window once per round, the datapath program with every ACK, or as a rate that doubles per round trip; auto: with every ACK, or as a rate for hystart++, which wants pacing; natively it is in the datapath, and any choice but datapath-rate and auto leaves out the pacing",
    },
  ];
}

export function slowStartOf(params: ParamValues): SlowStart {
  return SLOW_STARTS[params["slowStart"]!]!;
}

export function slowStartPlaceOf(params: ParamValues): SlowStartPlace {
  const place = PLACE_CHOICES[params["slowStartIn"]!]!;
  if (place !== "auto") return place;
  return slowStartOf(params).paces === true ? "datapath-rate" : "datapath";
}
