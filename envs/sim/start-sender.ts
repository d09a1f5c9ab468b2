/** A flow starts: its congestion control and its sender are made, the same in both engines. */
import type { Rng } from "../../core/random.ts";
import type { Nanos } from "../../core/units.ts";
import { MSS_BYTES, NANOS_PER_MICRO } from "../../core/units.ts";
import type { FlowSpec } from "./network.ts";
import { Sender } from "./sender.ts";
import { initialCwndBytes } from "./sender-options.ts";

/** @param rng the network's; the flow's jitter is its fork `flow.NUMBER.jitter` */
export function startSender(spec: FlowSpec, number: number, nowNs: Nanos, rng: Rng): Sender {
  const bound = spec.sendJitterNs;
  const control = spec.control({
    nowUs: nowNs / NANOS_PER_MICRO,
    mssBytes: MSS_BYTES,
    initialCwndBytes: initialCwndBytes(spec.sender),
  });
  if (bound === 0) return new Sender(control, nowNs, spec.sender);
  const jitter = rng.fork(`flow.${number}.jitter`);
  return new Sender(control, nowNs, spec.sender, () => bound * jitter.next());
}
