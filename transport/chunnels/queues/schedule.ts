/** Which of the waiting messages goes first: by priority, or each destination in turn. */
import type { Message, Surroundings } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { pullAll, Through } from "../../stack/through.ts";
import { choiceOption, numberOption } from "../options.ts";
import { droppedNow } from "./buffer.ts";

const POLICIES = ["priority", "round-robin"] as const;
type Policy = (typeof POLICIES)[number];

export interface ScheduleOptions {
  /** `priority`: strictly by `Message.priority`, 0 first; `round-robin`: by `Message.to`, one of each in turn */
  readonly policy?: Policy;
  readonly maxMessages?: number;
}

class Schedule extends Through {
  readonly #policy: Policy;
  readonly #maxMessages: number;
  /** in the order of service */
  readonly #queues = new Map<string | number, Message[]>();
  #count = 0;

  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings, policy: Policy, maxMessages: number) {
    super();
    this.#surroundings = surroundings;
    this.#policy = policy;
    this.#maxMessages = maxMessages;
  }

  override room(): number {
    return this.#maxMessages - this.#count;
  }

  override send(messages: readonly Message[]): void {
    this.#add(messages);
    this.below.offer();
  }

  override offer(): void {
    this.#add(pullAll(this.above, this.room()));
    this.below.offer();
  }

  #add(messages: readonly Message[]): void {
    const room = this.room();
    for (const message of messages.slice(0, room)) {
      const name = this.#policy === "priority" ? (message.priority ?? 0) : (message.to ?? "");
      const queue = this.#queues.get(name);
      if (queue === undefined) this.#queues.set(name, [message]);
      else queue.push(message);
      this.#count++;
    }
    if (messages.length > room)
      this.above.feedback(droppedNow(this.#surroundings.nowUs(), messages.slice(room)));
  }

  override pull(most: number): readonly Message[] {
    const wasFull = this.room() === 0;
    const out: Message[] = [];
    while (out.length < most && this.#count > 0) {
      const name =
        this.#policy === "priority"
          ? Math.min(...([...this.#queues.keys()] as number[]))
          : this.#queues.keys().next().value!;
      const queue = this.#queues.get(name)!;
      out.push(queue.shift()!);
      this.#count--;
      this.#queues.delete(name);
      // at the end of the turn
      if (queue.length > 0) this.#queues.set(name, queue);
    }
    if (wasFull && out.length > 0) this.above.roomGrew();
    return out;
  }

  override close(): void {
    this.#queues.clear();
    this.#count = 0;
    super.close();
  }
}

export type ScheduleSpec = ChunnelSpec<"same", "same", never, never>;

/** A scheduler. */
export function schedule({ policy = "priority", maxMessages = 1024 }: ScheduleOptions = {}): ScheduleSpec {
  const options = {
    policy: choiceOption("schedule", "policy", policy, POLICIES),
    maxMessages: numberOption("schedule", "maxMessages", maxMessages, { low: 1, high: 1_000_000 }),
  };
  const make = (surroundings: Surroundings): Schedule =>
    new Schedule(surroundings, options.policy, options.maxMessages);
  return {
    name: "schedule",
    up: "same",
    down: "same",
    needs: [],
    gives: [],
    ends: ["ordered"],
    options,
    make,
  };
}
