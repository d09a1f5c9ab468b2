/** Lets messages go at a constant rate. Where an algorithm sets the rate, `cc` paces itself. */
import { fromMbps, type Mbps } from "../../../core/units.ts";
import type { Message, Surroundings, Timer } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Through } from "../../stack/through.ts";
import { numberOption } from "../options.ts";
import { Pacer } from "./pacer.ts";

export interface PaceOptions {
  readonly rateMbps?: Mbps;
}

/** What a message counts that is none of bytes, and what the bucket counts a packet as. */
const PACKET_BYTES = 1200;

class Pace extends Through {
  readonly #surroundings: Surroundings;
  readonly #rate: number;
  readonly #pacer = new Pacer(PACKET_BYTES);
  #timer: Timer | undefined;

  constructor(surroundings: Surroundings, rateMbps: Mbps) {
    super();
    this.#surroundings = surroundings;
    this.#rate = fromMbps(rateMbps);
  }

  override room(): number {
    return Math.min(this.below.room(), Math.max(0, this.#pacer.room(this.#surroundings.nowUs(), this.#rate)));
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    const nowUs = this.#surroundings.nowUs();
    for (const { data } of messages) {
      this.#pacer.sent(nowUs, data instanceof Uint8Array ? data.length : PACKET_BYTES);
    }
    return messages;
  }

  override pull(most: number): readonly Message[] {
    const room = Math.max(0, this.#pacer.room(this.#surroundings.nowUs(), this.#rate));
    const messages = room > 0 ? super.pull(Math.min(most, room)) : [];
    if (messages.length > 0 || room <= 0) {
      const again = (): void => {
        this.#timer = undefined;
        this.below.offer();
        this.above.roomGrew();
      };
      this.#timer ??= this.#surroundings.wakeAt(this.#pacer.nextUs(this.#rate), again, true);
    }
    return messages;
  }

  override close(): void {
    this.#timer?.cancel();
    super.close();
  }
}

export type PaceSpec = ChunnelSpec<"same", "same", never, never>;

/** A constant rate. */
export function pace({ rateMbps = 10 }: PaceOptions = {}): PaceSpec {
  const options = {
    rateMbps: numberOption("pace", "rateMbps", rateMbps, { low: 0.001, high: 1e6, whole: false }),
  };
  const make = (surroundings: Surroundings): Pace => new Pace(surroundings, options.rateMbps);
  return { name: "pace", up: "same", down: "same", needs: [], gives: [], options, make };
}
