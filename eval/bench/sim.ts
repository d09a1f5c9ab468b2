/**
 * `npm run bench:sim [-- --json]`: packets per second of the simulator on one core, one flow on a 48 Mbit/s, 50 ms link,
 * loss detection, RTO and statistics on, with a CCP program run on every ACK or a native control beside it.
 */
import type { CcpAlgorithm } from "../../ccp-bridge/algorithm.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { reno } from "../../ccp-bridge/native/reno.ts";
import { fromMbps, MSS_BYTES } from "../../core/units.ts";
import { getScenario } from "../../envs/scenarios/presets.ts";
import { simulate } from "../../envs/simulation.ts";
import { medianSeconds, printRow } from "./console.ts";
import { ONCE_PER_RTT } from "./once-per-rtt.ts";

const VIRTUAL_SEC = 300;
const REPEATS = 5;

/** A window of one BDP and a half-full queue, so that the link is always busy. */
const CWND_BYTES = 300 * MSS_BYTES;

function oncePerRtt(rateBytesPerSec: number): CcpAlgorithm {
  return {
    name: "once-per-rtt",
    programs: { w02: ONCE_PER_RTT },
    newFlow(control) {
      control.setProgram("w02", { Cwnd: CWND_BYTES, Rate: rateBytesPerSec });
      return { onReport: (report) => void report.get("rtt") };
    },
  };
}

const rows: { program: string; pacing: boolean; control: () => CongestionControlFactory }[] = [
  { program: "w02", pacing: false, control: () => runCcpAlgorithm(oncePerRtt(0)) },
  { program: "w02", pacing: true, control: () => runCcpAlgorithm(oncePerRtt(fromMbps(48) * 0.96)) },
  { program: "native reno", pacing: false, control: () => reno },
];

for (const { program, pacing, control } of rows) {
  const scenario = { ...getScenario("park-paper"), durationSec: VIRTUAL_SEC };
  let packets = 0;
  const seconds = medianSeconds(REPEATS, () => {
    const simulation = simulate(scenario, 1, control(), Number.POSITIVE_INFINITY);
    simulation.network.runUntil(simulation.endNs);
    packets = simulation.flow.sender?.sentPackets ?? 0;
  });
  printRow({
    flows: 1,
    packets,
    seconds,
    packetsPerSec: Math.round(packets / seconds),
    program,
    pacing,
    virtualSecPerSec: Math.round(VIRTUAL_SEC / seconds),
  });
}
