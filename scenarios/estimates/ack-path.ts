/** Whether the ACK direction of a scenario keeps up with its data: one that was made faster may have kept a slow one. */
import { ACK_BYTES, type Mbps } from "../../core/units.ts";
import { peakMbps } from "../rates/registry.ts";
import { mtuOf, type Scenario } from "../scenario.ts";

/** RFC 5681, 4.2: a receiver acknowledges at least every second full packet. */
const PACKETS_PER_ACK = 2;

const shown = (mbps: Mbps): string => String(Number(mbps.toPrecision(3)));

/** A sentence where ACKs of a full forward link need more than the reverse link has at best; undefined: they do not. */
export function slowAckPath(scenario: Scenario): string | undefined {
  const { name, forward, reverse } = scenario;
  const [data, acks] = [peakMbps(forward.rate), peakMbps(reverse.rate)];
  if (data === undefined || acks === undefined) return undefined;
  const needed = (data * ACK_BYTES) / mtuOf(scenario) / PACKETS_PER_ACK;
  if (acks >= needed) return undefined;
  return `${name}: ACKs of ${shown(data)} Mbit/s need ${shown(needed)} Mbit/s, but \`reverse.rate\` has ${shown(acks)}: the ACK direction is the bottleneck`;
}
