/**
 * A chunnel as data: what stands in a list. `stack(...)` checks a list when it is compiled (each chunnel's data kinds and what it
 * needs from below), `checkStack` the same when it comes from JSON.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Capability, Chunnel, DataKind, Label, Surroundings } from "../chunnel.ts";
import type { BaseFacts, FanOut } from "./open.ts";

export interface ChunnelSpec<
  Up extends DataKind | "same" = DataKind | "same",
  Down extends DataKind | "same" | "none" = DataKind | "same" | "none",
  Needs extends Label = Label,
  Gives extends Label = Label,
> {
  readonly name: string;
  /** what it takes from above */
  readonly up: Up;
  /** what it hands down; `none`: it is a base */
  readonly down: Down;
  readonly needs: readonly Needs[];
  readonly gives: readonly Gives[];
  /** labels of what lies below that do not hold above it, such as the order of what a priority queue mixes */
  readonly ends?: readonly Label[];
  /** as in JSON; all have defaults */
  readonly options: Readonly<Record<string, unknown>>;
  readonly capability?: Capability;
  /** Makes one for an end of a connection. */
  make(surroundings: Surroundings, at: Place): Chunnel;
}

/** Where a chunnel is made. */
export interface Place {
  /** who begins: a client has state that a server has not */
  readonly side: "client" | "server";
  readonly self: string;
  /** the layers below, anew for each neighbour; there only for a chunnel that fans out */
  readonly fanOut: FanOut;
  readonly base: BaseFacts;
}

/** The kind that layers take whose bottom is `Specs`, and the labels; `never` where they do not fit. */
type Fold<Specs extends readonly unknown[]> = Specs extends readonly [infer Top, ...infer Rest]
  ? Top extends ChunnelSpec<infer Up, infer Down, infer Needs, infer Gives>
    ? Rest extends readonly []
      ? Down extends "none"
        ? { kind: Up; labels: Gives }
        : Misfit<"the last chunnel of a stack is a base">
      : Fold<Rest> extends { kind: infer Kind; labels: infer Labels }
        ? Down extends "same" | Kind
          ? [Needs] extends [Labels]
            ? { kind: Up extends "same" ? Kind : Up; labels: Labels | Gives }
            : Misfit<`needs below it a chunnel that gives: ${Exclude<Needs, Labels> & string}`>
          : Misfit<`hands down ${Down & string}, what is below takes ${Kind & string}`>
        : Fold<Rest>
    : Misfit<"not a chunnel">
  : Misfit<"an empty stack">;
interface Misfit<Why extends string> {
  readonly misfit: Why;
}

/** What does not fit shows as the type of a missing property, with the reason in it. */
type Checked<Specs extends readonly unknown[]> =
  Fold<Specs> extends Misfit<infer Why> ? readonly [Misfit<Why>] : unknown;

/** What the top of a stack takes. */
export type KindOf<Specs extends readonly unknown[]> =
  Fold<Specs> extends { kind: infer Kind extends DataKind } ? Kind : never;

/** A stack as a literal, top first; one that does not fit is a compile error. */
export function stack<const Specs extends readonly ChunnelSpec[]>(...specs: Specs & Checked<Specs>): Specs {
  checkStack(specs);
  return specs;
}

/** What a stack takes and what it vouches for. */
export interface StackFacts {
  readonly kind: DataKind;
  readonly labels: ReadonlySet<Label>;
}

/** In errors: what a chunnel does that gives the label, and one that does. */
const GIVERS: Readonly<Record<Label, { readonly does: string; readonly such: string }>> = {
  fate: { does: "tells which messages arrived and which were lost", such: "sack" },
  addressed: { does: "names hosts", such: "udp" },
  checked: { does: "drops damaged datagrams", such: "frame" },
  private: { does: "encrypts", such: "encrypt" },
  controlled: { does: "controls congestion", such: "cc" },
  reliable: { does: "repeats what is lost", such: "reliable" },
  ordered: { does: "puts messages in order", such: "order" },
  once: { does: "hands on each message at most once", such: "once" },
  bounded: { does: "sends no more than the peer has room for", such: "flow" },
};

const SETTLED: WeakMap<readonly ChunnelSpec[], StackFacts> = new WeakMap();

/** Checks a list for good: it is frozen, and however often it is opened not checked again. @throws as `checkStack` */
export function settle(specs: readonly ChunnelSpec[]): readonly ChunnelSpec[] {
  SETTLED.set(Object.freeze(specs), checkStack(specs));
  return specs;
}

/**
 * The same check for stacks that were not literals.
 * @throws CcparkError (invalid-argument) that names the chunnel by its place from the top, beginning with 0
 */
export function checkStack(specs: readonly ChunnelSpec[], where = "stack"): StackFacts {
  const settled = SETTLED.get(specs);
  if (settled !== undefined) return settled;
  const refuse = (i: number, got: string, expected: string): never => {
    throw new CcparkError("invalid-argument", `[transport] ${where}.${i}: got ${got}, expected ${expected}`);
  };
  const labels = new Set<Label>();
  /** which chunnel is the uppermost so far that ends a label of what is below it */
  const endedBy = new Map<Label, string>();
  const last = specs.length - 1;
  if (last < 0)
    throw new CcparkError(
      "invalid-argument",
      `[transport] ${where}: got no chunnels, expected at least a base`,
    );
  let kind: DataKind | undefined;
  for (let i = last; i >= 0; i--) {
    const { name, up, down, needs, gives, ends = [] } = specs[i]!;
    if ((down === "none") !== (i === last)) {
      refuse(i, `\`${name}\``, i === last ? "a base at the end, such as `udp`" : "a base only at the end");
    }
    if (down !== "none" && down !== "same" && down !== kind) {
      refuse(
        i,
        `\`${name}\`, which hands down ${down}`,
        `what \`${specs[i + 1]!.name}\` below it takes: ${kind}`,
      );
    }
    for (const need of needs) {
      if (labels.has(need)) continue;
      const { does, such } = GIVERS[need];
      const breaker = endedBy.get(need);
      if (breaker === undefined) {
        refuse(i, `\`${name}\` with no chunnel below it that ${does}`, `one, such as \`${such}\``);
      }
      const between = `\`${name}\` with no chunnel between it and \`${breaker}\` that ${does}`;
      refuse(i, between, `one, such as \`${such}\`, since \`${breaker}\` undoes what those below it do`);
    }
    for (const end of ends) {
      labels.delete(end);
      endedBy.set(end, name);
    }
    for (const label of gives) labels.add(label);
    if (up !== "same") kind = up;
  }
  return { kind: kind ?? "bytes", labels };
}
