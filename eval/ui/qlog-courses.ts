/** The flows of one run over time, from the qlog that `bench --export qlog` wrote: cwnd, pacing rate, RTT, bytes in flight, losses. */
import { readFileSync } from "node:fs";

/** Points where something changed; arrays of one flow have one entry per point. NaN becomes null in JSON. */
export interface FlowCourse {
  readonly flow: string;
  readonly timeSec: number[];
  readonly cwndPackets: number[];
  readonly rateMbps: number[];
  readonly rttMs: number[];
  /** smoothed RTT above the least RTT: what waits in queues */
  readonly queueDelayMs: number[];
  readonly inflightPackets: number[];
  /** times of packets that were declared lost */
  readonly lostSec: number[];
}

interface QlogRecord {
  readonly time?: number;
  readonly name?: string;
  readonly group_id?: string;
  readonly data?: Readonly<Record<string, number | undefined>>;
}

const RECORD_SEPARATOR = "\u001e";
const BYTES_PER_PACKET = 1448;

/** A trace without groups is of one flow. */
export function qlogCourses(path: string): FlowCourse[] {
  const flows = new Map<
    string,
    { readonly course: FlowCourse; last: Record<string, number>; packetBytes: number }
  >();
  for (const text of readFileSync(path, "utf8").split(RECORD_SEPARATOR)) {
    if (text.trim() === "") continue;
    const { time, name, group_id: group = "test", data = {} } = JSON.parse(text) as QlogRecord;
    if (time === undefined || name === undefined) continue;
    let flow = flows.get(group);
    if (flow === undefined) {
      const lists = {
        timeSec: [],
        cwndPackets: [],
        rateMbps: [],
        rttMs: [],
        queueDelayMs: [],
        inflightPackets: [],
        lostSec: [],
      };
      flow = { course: { flow: group, ...lists }, last: {}, packetBytes: BYTES_PER_PACKET };
      flows.set(group, flow);
    }
    const { course, last } = flow;
    const timeSec = time / 1000;
    if (name === "recovery:packet_lost") course.lostSec.push(timeSec);
    if (name !== "recovery:metrics_updated") continue;
    for (const [key, value] of Object.entries(data)) if (value !== undefined) last[key] = value;
    const bytes =
      last["packets_in_flight"]! > 0
        ? last["bytes_in_flight"]! / last["packets_in_flight"]!
        : flow.packetBytes;
    flow.packetBytes = bytes;
    course.timeSec.push(timeSec);
    course.cwndPackets.push((last["congestion_window"] ?? Number.NaN) / bytes);
    course.rateMbps.push((last["pacing_rate"] ?? Number.NaN) / 1e6);
    course.rttMs.push(last["smoothed_rtt"] ?? Number.NaN);
    course.queueDelayMs.push((last["smoothed_rtt"] ?? Number.NaN) - (last["min_rtt"] ?? Number.NaN));
    course.inflightPackets.push(last["packets_in_flight"] ?? Number.NaN);
  }
  return [...flows.values()].map(({ course }) => course);
}
