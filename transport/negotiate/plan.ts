/** What follows from an end's slots alone: made once for a list of them, since connections of one listener, and to one server, share it. */
import { type ChunnelSpec, settle } from "../stack/spec.ts";
import { type Choice, chosenStack, type Offer, offerOf, type Slot } from "./choose.ts";
import { encodeOffer } from "./offer-wire.ts";

/** Choices whose stacks are kept; there are few, but for lists with many places that have two options. */
const MAX_STACKS = 64;

export class SlotPlan {
  readonly offer: Offer;
  readonly offerBytes: Uint8Array;
  readonly #slots: readonly Slot[];
  readonly #stacks = new Map<string, readonly ChunnelSpec[]>();

  constructor(slots: readonly Slot[]) {
    this.#slots = slots;
    this.offer = offerOf(slots);
    this.offerBytes = encodeOffer(this.offer);
  }

  /** @throws as `chosenStack` */
  stack(choice: Choice, side: "client" | "server"): readonly ChunnelSpec[] {
    const name = `${side} ${choice[side].join()}`;
    let stack = this.#stacks.get(name);
    if (stack === undefined) {
      stack = settle(chosenStack(this.#slots, choice, side));
      if (this.#stacks.size >= MAX_STACKS) this.#stacks.clear();
      this.#stacks.set(name, stack);
    }
    return stack;
  }
}

const PLANS: WeakMap<readonly Slot[], SlotPlan> = new WeakMap();

/** @param slots are not changed afterwards */
export function planOf(slots: readonly Slot[]): SlotPlan {
  let plan = PLANS.get(slots);
  if (plan === undefined) {
    plan = new SlotPlan(slots);
    PLANS.set(slots, plan);
  }
  return plan;
}
