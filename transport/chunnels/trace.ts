/** Tells what passes here: events in qlog's form (draft-ietf-quic-qlog-main-schema), one record each. */
import type { Feedback, Message, Surroundings } from "../chunnel.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { Through } from "../stack/through.ts";
import { textOption } from "./options.ts";

export interface TraceOptions {
  /** tells several of one stack apart */
  readonly label?: string;
}

class Trace extends Through {
  readonly #surroundings: Surroundings;
  readonly #label: string;

  constructor(surroundings: Surroundings, label: string) {
    super();
    this.#surroundings = surroundings;
    this.#label = label;
  }

  #tell(name: string, data: Readonly<Record<string, unknown>>): void {
    this.#surroundings.trace?.({
      time: this.#surroundings.nowUs() / 1000,
      name: `${this.#label}:${name}`,
      data,
    });
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    for (const message of messages) this.#tell("packet_sent", facts(message));
    return messages;
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    for (const message of messages) this.#tell("packet_received", facts(message));
    return messages;
  }

  override feedback(fate: Feedback): void {
    const { acked, lost, rttUs, srttUs, minRttUs, timeout } = fate;
    const ms = (us: number): number | undefined => (us > 0 && Number.isFinite(us) ? us / 1000 : undefined);
    this.#tell("recovery:metrics_updated", {
      acked_packets: acked.length,
      lost_packets: lost.length,
      latest_rtt: ms(rttUs),
      smoothed_rtt: ms(srttUs),
      min_rtt: ms(minRttUs),
      ...(timeout && { timeout }),
    });
    super.feedback(fate);
  }
}

/** Never what it carries. */
function facts({ data, to, from, priority, attempt }: Message): Readonly<Record<string, unknown>> {
  return { length: data instanceof Uint8Array ? data.length : undefined, to, from, priority, attempt };
}

export type TraceSpec = ChunnelSpec<"same", "same", never, never>;

/** Events for a qlog. */
export function trace({ label = "transport" }: TraceOptions = {}): TraceSpec {
  const options = { label: textOption("trace", "label", label) };
  const make = (surroundings: Surroundings): Trace => new Trace(surroundings, options.label);
  return { name: "trace", up: "same", down: "same", needs: [], gives: [], options, make };
}
