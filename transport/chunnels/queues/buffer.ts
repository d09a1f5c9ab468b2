/**
 * A queue between who pushes and who pulls. It takes from above at once whatever there is (so what it holds may grow stale),
 * and when it is full drops the oldest or the newest, or puts a message in the place of the one with the same key.
 */
import type { Micros } from "../../../core/units.ts";
import type { Feedback, Message, Surroundings } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { pullAll, Through } from "../../stack/through.ts";
import { choiceOption, numberOption } from "../options.ts";

const POLICIES = ["drop-oldest", "drop-newest", "replace"] as const;
type Policy = (typeof POLICIES)[number];

export interface BufferOptions {
  readonly maxMessages?: number;
  /** `replace`: a message takes the place of the waiting one with its key; where there is none, the oldest is dropped */
  readonly policy?: Policy;
}

const NONE: readonly Message[] = [];

class Buffer extends Through {
  readonly #maxMessages: number;
  readonly #policy: Policy;
  readonly #queue: Message[] = [];
  #isTaking = false;

  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings, maxMessages: number, policy: Policy) {
    super();
    this.#surroundings = surroundings;
    this.#maxMessages = maxMessages;
    this.#policy = policy;
  }

  override room(): number {
    return this.#policy === "drop-newest" ? this.#maxMessages - this.#queue.length : Number.POSITIVE_INFINITY;
  }

  override send(messages: readonly Message[]): void {
    this.#add(messages);
    this.below.offer();
  }

  override offer(): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    try {
      this.#add(pullAll(this.above, this.#maxMessages));
    } finally {
      this.#isTaking = false;
    }
    this.below.offer();
  }

  override pull(most: number): readonly Message[] {
    const out = this.#queue.splice(0, most);
    // there is room again for what waits above
    if (out.length > 0 && !this.#isTaking) this.#add(this.above.pull(out.length));
    return out;
  }

  #add(messages: readonly Message[]): void {
    const dropped: Message[] = [];
    for (const message of messages) {
      const place =
        this.#policy === "replace" && message.key !== undefined
          ? this.#queue.findIndex(({ key }) => key === message.key)
          : -1;
      if (place >= 0) dropped.push(...this.#queue.splice(place, 1, message));
      else if (this.#queue.length < this.#maxMessages) this.#queue.push(message);
      else if (this.#policy === "drop-newest") dropped.push(message);
      else {
        dropped.push(this.#queue.shift()!);
        this.#queue.push(message);
      }
    }
    if (dropped.length > 0) this.above.feedback(droppedNow(this.#surroundings.nowUs(), dropped));
  }

  override close(): void {
    this.#queue.length = 0;
    super.close();
  }
}

/** Messages that never reached the network. */
export function droppedNow(nowUs: Micros, lost: readonly Message[]): Feedback {
  return {
    nowUs,
    acked: NONE,
    lost,
    rttUs: 0,
    srttUs: 0,
    minRttUs: Number.POSITIVE_INFINITY,
    timeout: false,
  };
}

export type BufferSpec = ChunnelSpec<"same", "same", never, never>;

/** A bounded queue. */
export function buffer({ maxMessages = 64, policy = "drop-oldest" }: BufferOptions = {}): BufferSpec {
  const options = {
    maxMessages: numberOption("buffer", "maxMessages", maxMessages, { low: 1, high: 1_000_000 }),
    policy: choiceOption("buffer", "policy", policy, POLICIES),
  };
  return {
    name: "buffer",
    up: "same",
    down: "same",
    needs: [],
    gives: [],
    ends: ["reliable"],
    options,
    make: (surroundings) => new Buffer(surroundings, options.maxMessages, options.policy),
  };
}
