/** What a preset is, and the builders that the lists of presets share. Where a source says nothing: 30 s, delayed ACKs. */
import type { MahimahiTrace } from "../../traces/mahimahi.ts";
import type { DirectionSpec, QueueSpec } from "../direction.ts";
import { constantRate, makeDirection } from "../links.ts";
import type { RateSpec } from "../rates/registry.ts";
import { LINUX_SENDER } from "../sender-options.ts";
import type { ScenarioTemplate } from "../template.ts";

/** How near to its source a preset runs. */
export type PresetStatus =
  | { readonly kind: "runnable" }
  /** one or more parts stand in for what is not here or not published */
  | { readonly kind: "substituted"; readonly substitution: string }
  | { readonly kind: "not-runnable"; readonly why: string };

export interface ScenarioPreset {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  readonly status: PresetStatus;
  /** none: takes no trace; any: the caller gives one; otherwise the shipped trace it runs on */
  readonly trace: "none" | "any" | { readonly shipped: string };
  /** absent: the preset is a grid, and its members are the scenarios */
  readonly template?: (trace: MahimahiTrace | undefined) => ScenarioTemplate;
  /** named `<name>/...`; beside a template they are variants of it */
  readonly members?: () => readonly ScenarioPreset[];
}

export interface PresetParts extends Omit<ScenarioTemplate, "name" | "source" | "description"> {
  readonly source: string;
  readonly description: string;
  /** what stands in; absent: nothing does */
  readonly substitution?: string;
  readonly members?: () => readonly ScenarioPreset[];
}

export function statusOf(substitution: string | undefined): PresetStatus {
  return substitution === undefined ? { kind: "runnable" } : { kind: "substituted", substitution };
}

export function preset(name: string, parts: PresetParts): ScenarioPreset {
  return latePreset(name, parts, () => parts);
}

/** @param make takes a while, and is called when a template is first asked for */
export function latePreset(
  name: string,
  {
    source,
    description,
    substitution,
    members,
  }: Pick<PresetParts, "source" | "description" | "substitution" | "members">,
  make: () => PresetParts,
): ScenarioPreset {
  let template: ScenarioTemplate | undefined;
  return {
    name,
    source,
    description,
    status: statusOf(substitution),
    trace: "none",
    template: () => {
      if (template === undefined) {
        const { substitution: _, members: __, ...rest } = make();
        template = { name, ...rest };
      }
      return template;
    },
    ...(members === undefined ? {} : { members }),
  };
}

/** Scenarios that belong together; `preset.name` of each member begins with the grid's. */
export function grid(
  name: string,
  parts: {
    readonly source: string;
    readonly description: string;
    readonly substitution?: string;
    readonly members: () => readonly ScenarioPreset[];
  },
): ScenarioPreset {
  const { substitution, ...rest } = parts;
  return { name, ...rest, status: statusOf(substitution), trace: "none" };
}

/** The set-up's hosts run Linux: all its senders have what Linux's has. */
export function onLinux<Preset extends ScenarioPreset>(published: Preset): Preset {
  const { template, members } = published;
  return {
    ...published,
    ...(template && {
      template: (trace: MahimahiTrace | undefined) => ({ ...template(trace), sender: LINUX_SENDER }),
    }),
    ...(members && { members: () => members().map(onLinux) }),
  };
}

/** Both directions at one rate; the ACK direction's queue is unlimited unless given. */
export function sameRate(
  rate: RateSpec | number,
  queue: QueueSpec,
  rest: { readonly lossRate?: number; readonly reverseQueue?: QueueSpec } = {},
): { readonly forward: DirectionSpec; readonly reverse: DirectionSpec } {
  const spec = typeof rate === "number" ? constantRate(rate) : rate;
  return {
    forward: makeDirection(spec, queue, rest.lossRate),
    reverse: makeDirection(spec, rest.reverseQueue ?? {}),
  };
}

/** Rates from given times on, as `[seconds, Mbit/s]`. */
export function steps(points: readonly (readonly [number, number])[], periodSec?: number): RateSpec {
  return {
    kind: "steps",
    points: points.map(([atSec, mbps]) => ({ atSec, mbps })),
    ...(periodSec === undefined ? {} : { periodSec }),
  };
}
