/**
 * Spreads keyed messages over shards by a hash of the key. At the client each message goes to its shard at once; at the server a
 * front that gets all of them sends each on, and the shard answers the client itself.
 */
import { CcparkError, showValue } from "../../../core/errors.ts";
import { hashText, mix } from "../../../core/random.ts";
import type { Message } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Through } from "../../stack/through.ts";
import { choiceOption } from "../options.ts";

const PLACES = ["client", "server"] as const;
type ShardPlace = (typeof PLACES)[number];

export interface ShardOptions {
  /** addresses */
  readonly shards?: readonly string[];
  /** who picks the shard */
  readonly at?: ShardPlace;
}

/** The place of a key among `count` shards: the same wherever it is asked. */
export function shardOf(key: string, count: number): number {
  return (mix(hashText(key)) >>> 0) % count;
}

class ShardAtClient extends Through {
  readonly #shards: readonly string[];

  constructor(shards: readonly string[]) {
    super();
    this.#shards = shards;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => {
      if (message.to !== undefined && message.key === undefined) return message;
      return addressed(message, this.#shards);
    });
  }
}

/** The front: what comes for it goes on to the shard. */
class ShardAtServer extends Through {
  readonly #shards: readonly string[];
  readonly #self: string;
  readonly #onward: Message[] = [];

  constructor(shards: readonly string[], self: string) {
    super();
    this.#shards = shards;
    this.#self = self;
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const isFront = !this.#shards.includes(this.#self);
    if (!isFront) return messages;
    const mine: Message[] = [];
    for (const message of messages) {
      const isRequest =
        message.key !== undefined && message.from !== undefined && !this.#shards.includes(message.from);
      if (isRequest) this.#onward.push(addressed(message, this.#shards));
      else mine.push(message);
    }
    if (this.#onward.length > 0) this.below.offer();
    return mine;
  }

  override pull(most: number): readonly Message[] {
    const onward = this.#onward.splice(0, most);
    return onward.length === most ? onward : [...onward, ...super.pull(most - onward.length)];
  }
}

/** A new object: its fate is nobody's who waits for that of the first. */
function addressed(message: Message, shards: readonly string[]): Message {
  const to = shards[shardOf(message.key!, shards.length)]!;
  return { ...message, to, cause: [message] };
}

export type ShardSpec = ChunnelSpec<"keyed", "keyed", "addressed", never>;

/** Sharding by key. */
export function shard({ shards = [], at = "client" }: ShardOptions = {}): ShardSpec {
  const isRight =
    Array.isArray(shards) && shards.length > 0 && shards.every((each) => typeof each === "string");
  if (!isRight) {
    const message = `[transport] shard.shards: got ${showValue(shards)}, expected a list of at least one address`;
    throw new CcparkError("invalid-argument", message);
  }
  const place = choiceOption("shard", "at", at, PLACES);
  return {
    name: "shard",
    up: "keyed",
    down: "keyed",
    needs: ["addressed"],
    gives: [],
    options: { shards, at: place },
    capability: { match: "overlap", labels: PLACES.map((each) => `shard at ${each}`) },
    make: (_, { self, side }) => {
      if (place === "client")
        return side === "client" ? new ShardAtClient(shards) : new ShardAtServer([self], self);
      return new ShardAtServer(side === "client" ? [self] : shards, self);
    },
  };
}
