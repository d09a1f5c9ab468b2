/** A flow starts: its congestion control and its sender are made, the same in both networks. */
import type { FlowStart } from "../ccp-bridge/congestion-control.ts";
import type { ArenaOffer } from "../ccp-bridge/datapath/engine-run.ts";
import type { Rng } from "../core/random.ts";
import type { Nanos } from "../core/units.ts";
import { MSS_BYTES, NANOS_PER_MICRO } from "../core/units.ts";
import { Sender } from "../engine/sender.ts";
import type { Engine } from "../engine/wasm-host.ts";
import { initialCwndBytes } from "../scenarios/sender-options.ts";
import type { FlowSpec, Network } from "./network.ts";

/**
 * @param engine the network's
 * @param rng the network's; the flow's jitter is its fork `flow.NUMBER.jitter`, its algorithm's `flow.NUMBER.algorithm`
 */
export function startSender(
  network: Network,
  engine: Engine,
  spec: FlowSpec,
  number: number,
  nowNs: Nanos,
  rng: Rng,
): Sender {
  const { sendJitterNs: boundNs, mssBytes = MSS_BYTES } = spec;
  const start: FlowStart & ArenaOffer = {
    nowUs: nowNs / NANOS_PER_MICRO,
    mssBytes,
    initialCwndBytes: initialCwndBytes(spec.sender, mssBytes),
    arena: engine.arena,
    hosting: {
      rng: rng.fork(`flow.${number}.algorithm`),
      schedule: (atUs, run) => {
        // call-backs precede the packets of their instant, a wake follows them
        const atNs = Math.max(Math.round(atUs * NANOS_PER_MICRO), network.nowNs);
        network.schedule(atNs + 1, () => run(atNs / NANOS_PER_MICRO));
      },
    },
  };
  const control = spec.control(start);
  if (boundNs === 0) return new Sender(control, nowNs, spec.sender, { engine, mssBytes });
  const jitter = { boundNs, rng: rng.fork(`flow.${number}.jitter`) };
  return new Sender(control, nowNs, spec.sender, { engine, mssBytes, jitter });
}
