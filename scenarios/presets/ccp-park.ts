/** Links of CCP and of Park. */
import { constantRate, makeDirection, UNLIMITED } from "../links.ts";
import { preset, type ScenarioPreset, sameRate, statusOf } from "./preset.ts";

const PARK_PAPER = "CCP thesis (Narayan, MIT 2022), section 4.7.5";
const PARK_CODE = "park-project/park, congestion_control.py and param.py @08f8f7f";
const CCP_EVAL = "ccp-project/eval-scripts @b734153";

/** A trace in the data direction, 10 ms each way, 100 packets: CCP's cellular set-up. */
export function cellular(
  name: string,
  parts: Pick<ScenarioPreset, "trace" | "source" | "description"> & {
    readonly substitution?: string;
    /** ACK direction; absent: unlimited */
    readonly reverseMbps?: number;
  },
): ScenarioPreset {
  const { trace, source, description, substitution, reverseMbps } = parts;
  return {
    name,
    source,
    description,
    status: statusOf(substitution),
    trace,
    template: (loaded) => ({
      name,
      source,
      description: loaded === undefined ? description : `${description}; trace ${loaded.name}`,
      forward: {
        queue: { packets: 100 },
        lossRate: 0,
        ...(loaded === undefined
          ? {}
          : { rate: { kind: "trace", name: loaded.name, opportunitiesMs: loaded.opportunitiesMs } }),
      },
      reverse: reverseMbps === undefined ? UNLIMITED : makeDirection(constantRate(reverseMbps), {}),
      propagationDelayMs: 10,
    }),
  };
}

/** `other_rates_mbps` of Park's code: one is drawn per episode there. */
const PARK_OTHER_MBPS = [12, 24, 36, 60, 72, 84, 96];

function parkCode(mbps: number): Parameters<typeof preset>[1] {
  return {
    source: PARK_CODE,
    description: `${mbps} Mbit/s, 25 ms each way, drop-tail 2000 packets in each direction, 120 s`,
    propagationDelayMs: 25,
    durationSec: 120,
    ...sameRate(mbps, { packets: 2000 }, { reverseQueue: { packets: 2000 } }),
  };
}

export const PARK: readonly ScenarioPreset[] = [
  preset("park-paper", {
    source: PARK_PAPER,
    description: "48 Mbit/s, 25 ms each way, drop-tail 400 packets in each direction",
    propagationDelayMs: 25,
    ...sameRate(48, { packets: 400 }, { reverseQueue: { packets: 400 } }),
  }),
  preset("park-code", {
    ...parkCode(48),
    members: () => PARK_OTHER_MBPS.map((mbps) => preset(`park-code/${mbps}mbps`, parkCode(mbps))),
  }),
];

export const CCP: readonly ScenarioPreset[] = [
  preset("ccp-fixed", {
    source: `${CCP_EVAL}, run-fidelity-exp.py`,
    description: "96 Mbit/s, 10 ms each way, drop-tail 160 packets (1 BDP), 60 s",
    propagationDelayMs: 10,
    durationSec: 60,
    ...sameRate(96, { packets: 160 }),
  }),
  cellular("ccp-cell", {
    trace: "any",
    source: CCP_EVAL,
    description: "a cellular trace, 10 ms each way, drop-tail 100 packets, unlimited ACK direction",
    substitution:
      "Verizon-LTE-short is not shipped: give it, or another, with --trace; the suite runs cell-lte-driving without",
  }),
  preset("ccp-drop", {
    source: CCP_EVAL,
    description: "96 Mbit/s, 10 ms each way, no queue limit, random loss 0.01 %",
    propagationDelayMs: 10,
    ...sameRate(96, {}, { lossRate: 0.0001 }),
  }),
  preset("ccp-bbr-fig3", {
    source: `${CCP_EVAL}, README`,
    description: "48 Mbit/s, 10 ms each way, drop-tail 160 packets (2 BDP)",
    propagationDelayMs: 10,
    ...sameRate(48, { packets: 160 }),
  }),
  preset("ccp-fct", {
    source: `${CCP_EVAL}, fct_exp.py`,
    description:
      "96 Mbit/s, 25 ms each way, drop-tail 800 packets: transfers of web-like sizes at half load beside the flow under test",
    substitution:
      "request sizes by the published share (97.6 % at 10 KB or less) instead of the CAIDA trace; one Poisson process instead of 50 servers",
    propagationDelayMs: 25,
    ...sameRate(96, { packets: 800 }),
    traffic: [{ kind: "transfers", algorithm: "cubic", sizes: { kind: "web" }, load: 0.5 }],
  }),
];
