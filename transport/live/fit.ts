/** What a stack must have so that it can take over from another one in a live connection, or be taken over from. */
import { CcparkError } from "../../core/errors.ts";
import type { Label } from "../chunnel.ts";
import type { Slot } from "../negotiate/choose.ts";
import { type ChunnelSpec, checkStack } from "../stack/spec.ts";

/** No message may be lost at the change, and what the old stack brings comes before what the new one does. */
const NEEDED: readonly Label[] = ["reliable", "ordered"];
/** The stacks of a connection are told apart by the session in front of each datagram. */
const NAMES_SESSION = "frame";
/** They leave datagrams as they are. */
const TRANSPARENT: ReadonlySet<string> = new Set(["trace", "nothing", "local"]);

export function refusal(why: string): CcparkError {
  return new CcparkError("failed-precondition", `[transport] cannot exchange the stack: ${why}`);
}

/** What is missing for an exchange, as a clause; undefined: nothing. */
function missingIn(specs: readonly ChunnelSpec[]): string | undefined {
  const { labels } = checkStack(specs);
  const label = NEEDED.find((each) => !labels.has(each));
  if (label !== undefined) return `is not ${label}`;
  const lowest = specs.slice(0, -1).findLast(({ name }) => !TRANSPARENT.has(name));
  if (lowest?.name === NAMES_SESSION) return undefined;
  const got = lowest === undefined ? "nothing" : `\`${lowest.name}\``;
  return `has ${got} right above its base, expected \`${NAMES_SESSION}\`, which tells it from the one before`;
}

/** @throws CcparkError (failed-precondition) that says what is missing */
export function checkExchangeable(which: "present" | "new", specs: readonly ChunnelSpec[]): void {
  const missing = missingIn(specs);
  if (missing !== undefined) throw refusal(`the ${which} one ${missing}`);
}

/**
 * What an end may propose: checked before its peer prepares anything. The peer decides which options it will be.
 * @throws CcparkError (failed-precondition, invalid-argument) that says what is missing
 */
export function checkProposable(slots: readonly Slot[]): void {
  const options = slots.map((slot) =>
    "make" in slot ? slot : (slot.options.find(({ name }) => name !== "nothing") ?? slot.options[0]!),
  );
  checkExchangeable(
    "new",
    options.filter(({ name }) => name !== "nothing"),
  );
}

export function baseOf(slots: readonly Slot[]): string {
  const last = slots.at(-1)!;
  return ("make" in last ? last : last.options[0]!).name;
}

/** The same by another base; empty: by its own. */
export function withBase(slots: readonly Slot[], base: string): readonly Slot[] {
  if (base === "") return slots;
  const last = slots.at(-1)!;
  return "make" in last ? [...slots.slice(0, -1), { ...last, name: base }] : slots;
}
