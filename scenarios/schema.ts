/**
 * The scenario's type as a schema: every field with its range, no unknown ones, and what must hold between links, routes
 * and flows. An issue's message ends the sentence `<path>: got X, expected ...`; validate.ts writes the sentence.
 */
import * as z from "zod";
import { TUN_HEADER_BYTES } from "../core/units.ts";
import { DELAYS_SCHEMA } from "./delays/registry.ts";
import { DIRECTION_FIELDS, DIRECTION_SCHEMA, type DirectionSpec, INSIDE_DIRECTION } from "./direction.ts";
import { UNDER_TEST } from "./flows.ts";
import { checkOverlay, OVERLAY_SCHEMA } from "./overlay/overlay.ts";
import { peakMbps } from "./rates/registry.ts";
import { FIRST_FLOW, mtuOf, type Scenario } from "./scenario.ts";
import {
  clockSec,
  flowDelayMs,
  list,
  MAX_DATAGRAMS_PER_SEC,
  MAX_LINKS,
  MAX_TRANSFERS_PER_SEC,
  mtuBytes,
  text,
  timeSec,
  words,
} from "./schema/ranges.ts";
import { ACK_POLICY_SCHEMA, SENDER_SCHEMA } from "./schema/senders.ts";
import { type Complaints, complain, fields, quoted, type Schema, withRule } from "./schema/shapes.ts";
import { APPLICATION_SCHEMA } from "./traffic/applications.ts";
import { datagramsPerSec, transfersPerSec } from "./traffic/arrivals.ts";
import { BUNDLES_SCHEMA } from "./traffic/bundles.ts";
import { FLOW_PLAN_SCHEMA, type FlowPlan } from "./traffic/flow-plan.ts";
import { AGGREGATES_SCHEMA, MOVES_SCHEMA, STANDBY_SCHEMA, WEIGHT_SCHEMA } from "./traffic/named-flows.ts";
import { PARAMETER_CHANGES_SCHEMA } from "./traffic/parameter-change.ts";
import { ROUTE_SCHEMA, type RouteSpec } from "./traffic/route.ts";
import { checkStacks, STACK_SCHEMA, type StackFlow } from "./traffic/stack.ts";
import { TRAFFIC_SCHEMA } from "./traffic/traffic.ts";
import { VARIATION_SCHEMA } from "./variation.ts";

/** The two links that every scenario has. */
const OWN_LINKS = ["forward", "reverse"] as const;

/** Every link of a route exists, and none comes twice in one direction. */
function checkRoute(
  complaints: Complaints,
  at: readonly (string | number)[],
  spec: RouteSpec | undefined,
  known: ReadonlySet<string>,
): void {
  if (spec === undefined) return;
  for (const way of OWN_LINKS) {
    const taken = new Set<string>();
    const wrong = spec[way].findIndex((link) => !known.has(link) || taken.size === taken.add(link).size);
    if (wrong < 0) continue;
    const expected = taken.has(spec[way][wrong]!) ? "each link at most once" : `one of ${quoted([...known])}`;
    complain(complaints, [...at, "route", way, wrong], expected);
  }
}

function checkOwnLinks(
  complaints: Complaints,
  { route }: Scenario,
  further: readonly string[],
  known: ReadonlySet<string>,
): void {
  for (const name of OWN_LINKS) {
    if (further.includes(name))
      complain(complaints, ["links", name], `another name: \`${name}\` is always there`);
  }
  checkRoute(complaints, [], route, known);
  for (const way of OWN_LINKS) {
    if (route !== undefined && !route[way].includes(way))
      complain(complaints, ["route", way], `a route with \`${way}\`, the link that is measured, in it`);
  }
}

function checkFlows(complaints: Complaints, { flows = [] }: Scenario, known: ReadonlySet<string>): void {
  const ids = new Set([FIRST_FLOW]);
  flows.forEach((plan, i) => {
    checkRoute(complaints, ["flows", i], plan.route, known);
    if (plan.id === undefined) return;
    if (ids.has(plan.id)) complain(complaints, ["flows", i, "id"], "an id that no flow before has");
    ids.add(plan.id);
  });
}

function checkTraffic(complaints: Complaints, scenario: Scenario, known: ReadonlySet<string>): void {
  const { forward, traffic = [] } = scenario;
  traffic.forEach((spec, i) => {
    if (spec.kind !== "incast") checkRoute(complaints, ["traffic", i], spec.route, known);
    if (spec.kind === "transfers" && spec.load !== undefined && peakMbps(forward.rate) === undefined) {
      complain(complaints, ["traffic", i, "load"], "flowsPerSec, since the forward link is unlimited");
    } else if (transfersPerSec(spec, forward) > MAX_TRANSFERS_PER_SEC) {
      const field = spec.kind === "incast" ? "everySec" : spec.kind === "transfers" ? "sizes" : "kind";
      complain(complaints, ["traffic", i, field], `at most ${MAX_TRANSFERS_PER_SEC} transfers per second`);
    } else if (datagramsPerSec(spec, mtuOf(scenario)) > MAX_DATAGRAMS_PER_SEC) {
      complain(complaints, ["traffic", i, "sizes"], `at most ${MAX_DATAGRAMS_PER_SEC} datagrams per second`);
    }
  });
}

/** What a full packet does not fit into, none passes. */
function checkPacketSize(complaints: Complaints, scenario: Scenario): void {
  const { forward, reverse, links = {} } = scenario;
  const fullBytes = mtuOf(scenario) + TUN_HEADER_BYTES;
  const check = ({ policer, queue }: DirectionSpec, at: string[], carriesData: boolean): void => {
    if (policer !== undefined && policer.burstBytes < fullBytes)
      complain(complaints, [...at, "policer", "burstBytes"], `>= ${fullBytes}, a full packet`);
    if (carriesData && scenario.mtuBytes !== undefined && (queue.bytes ?? fullBytes) < fullBytes)
      complain(complaints, [...at, "queue", "bytes"], `>= ${fullBytes}, a full packet`);
  };
  check(forward, ["forward"], true);
  check(reverse, ["reverse"], false);
  for (const [name, link] of Object.entries(links)) check(link, ["links", name], true);
}

/** Only what ends can be late. */
function checkDeadlines(complaints: Complaints, scenario: Scenario): void {
  const complainOf = (plan: Pick<FlowPlan, "application" | "deadlineSec">, at: (string | number)[]): void => {
    if (plan.deadlineSec !== undefined && plan.application?.kind !== "finite")
      complain(complaints, [...at, "deadlineSec"], "an `application` of kind `finite` beside it");
  };
  complainOf(scenario, []);
  for (const [i, plan] of (scenario.flows ?? []).entries()) complainOf(plan, ["flows", i]);
}

/** A link that no route takes is a mistake: it would do nothing. */
function checkUse(complaints: Complaints, scenario: Scenario, further: readonly string[]): void {
  const { route: own, flows = [], traffic = [] } = scenario;
  const routes = [own, ...flows.map((plan) => plan.route)].concat(
    traffic.map((spec) => ("route" in spec ? spec.route : undefined)),
  );
  const used = new Set(
    routes.flatMap((each) => (each === undefined ? [] : [...each.forward, ...each.reverse])),
  );
  for (const { forward, reverse } of scenario.moves ?? []) used.add(forward).add(reverse);
  const { spareLinks = [] } = scenario;
  for (const name of further) {
    if (!used.has(name) && !spareLinks.includes(name))
      complain(complaints, ["links", name], "a link that some route takes, or one of `spareLinks`");
  }
}

/** A spare link is there, and no bundle's or overlay's business. */
function checkSpares(complaints: Complaints, scenario: Scenario, further: readonly string[]): void {
  const { spareLinks, bundles, overlay, stack } = scenario;
  if (spareLinks === undefined) return;
  spareLinks.forEach((name, i) => {
    if (!further.includes(name)) complain(complaints, ["spareLinks", i], `one of ${quoted(further)}`);
  });
  for (const [name, value] of Object.entries({ bundles, overlay, stack })) {
    if (value !== undefined) complain(complaints, ["spareLinks"], `none beside \`${name}\``);
  }
}

/** A flow moves to links that exist and that its route has not yet; what a bundle's boxes see stays. */
function checkMoves(complaints: Complaints, scenario: Scenario, known: ReadonlySet<string>): void {
  const { moves = [], route } = scenario;
  if (moves.length > 0 && scenario.bundles !== undefined)
    complain(complaints, ["moves"], "none beside `bundles`");
  moves.forEach((move, i) => {
    for (const way of OWN_LINKS) {
      const others = (route?.[way] ?? []).filter((name) => name !== way);
      const expected = [...known].filter((name) => !others.includes(name));
      if (!expected.includes(move[way]))
        complain(complaints, ["moves", i, way], `one of ${quoted(expected)}`);
    }
  });
}

/** A bundle stands before a link of its own, whose rate is no more than a bound. */
function checkBundles(
  complaints: Complaints,
  { bundles = [], links = {}, flows = [] }: Scenario,
  further: readonly string[],
): void {
  const taken = new Set<string>();
  const tested = bundles.filter(({ algorithm }) => algorithm === UNDER_TEST);
  if (tested.length > 1) complain(complaints, ["bundles"], "at most one whose algorithm is `test`");
  flows.forEach(({ algorithm }, i) => {
    if (tested.length > 0 && algorithm === UNDER_TEST)
      complain(complaints, ["flows", i, "algorithm"], "another than `test`, which the bundle is");
  });
  bundles.forEach(({ link }, i) => {
    if (!further.includes(link) || taken.has(link)) {
      complain(complaints, ["bundles", i, "link"], `a name of \`links\` that no bundle before has`);
    } else if (!["constant", "unlimited"].includes(links[link]!.rate.kind)) {
      complain(
        complaints,
        ["links", link, "rate", "kind"],
        "constant or unlimited, since a bundle decides it",
      );
    }
    taken.add(link);
  });
}

/** The flows of an overlay have their ways from it. */
function checkOverlayFlows(complaints: Complaints, scenario: Scenario): void {
  const { overlay, flows = [], bundles, route } = scenario;
  if (overlay === undefined) return;
  const count = flows.reduce((sum, plan) => sum + (plan.count ?? 1), 1);
  checkOverlay(complaints, overlay, count);
  if (bundles !== undefined) complain(complaints, ["bundles"], "none beside `overlay`");
  if (route !== undefined) complain(complaints, ["route"], "none beside `overlay`, which has the routes");
  flows.forEach((plan, i) => {
    if (plan.route !== undefined)
      complain(complaints, ["flows", i, "route"], "none beside `overlay`, which has the routes");
  });
}

/** What a stack has of its own, or what only the engine's sender knows. */
function stackFlow(at: readonly (string | number)[], plan: FlowPlan): StackFlow {
  const { stack, algorithm, startSec, startJitterSec, sender, application, ackPolicy } = plan;
  // a call counts its packets by the engine's sender
  const call = application?.kind === "media" ? application : undefined;
  return { at, stack, algorithm, startSec, startJitterSec, others: { sender, application: call, ackPolicy } };
}

function checkStackFlows(complaints: Complaints, scenario: Scenario): void {
  const { stack, sender, application, flows = [], moves, bundles, overlay } = scenario;
  const first = stackFlow([], { algorithm: UNDER_TEST, stack, sender, application });
  const all = [first, ...flows.map((plan, i) => stackFlow(["flows", i], plan))];
  checkStacks(complaints, all);
  if (all.every((flow) => flow.stack === undefined)) return;
  for (const [name, value] of Object.entries({ bundles, overlay })) {
    if (value !== undefined) complain(complaints, [name], "none beside flows with a `stack`");
  }
  if (stack !== undefined && moves !== undefined) complain(complaints, ["moves"], "none beside `stack`");
}

const SCENARIO_FIELDS = fields<Scenario>(
  {
    name: text,
    source: words,
    description: words,
    forward: DIRECTION_SCHEMA,
    reverse: DIRECTION_SCHEMA,
    links: z
      .record(text, DIRECTION_SCHEMA)
      .refine((links) => Object.keys(links).length <= MAX_LINKS, { error: `at most ${MAX_LINKS} links` })
      .optional(),
    route: ROUTE_SCHEMA.optional(),
    mtuBytes: mtuBytes.optional(),
    propagationDelayMs: flowDelayMs,
    reversePropagationDelayMs: flowDelayMs.optional(),
    delay: DELAYS_SCHEMA.optional(),
    durationSec: clockSec,
    ackPolicy: ACK_POLICY_SCHEMA,
    sender: SENDER_SCHEMA.optional(),
    stack: STACK_SCHEMA.optional(),
    application: APPLICATION_SCHEMA.optional(),
    deadlineSec: clockSec.optional(),
    changes: PARAMETER_CHANGES_SCHEMA.optional(),
    moves: MOVES_SCHEMA.optional(),
    spareLinks: list(text).optional(),
    standby: STANDBY_SCHEMA.optional(),
    weight: WEIGHT_SCHEMA.optional(),
    aggregates: AGGREGATES_SCHEMA.optional(),
    flows: list(FLOW_PLAN_SCHEMA).optional(),
    traffic: list(TRAFFIC_SCHEMA).optional(),
    bundles: BUNDLES_SCHEMA.optional(),
    overlay: OVERLAY_SCHEMA.optional(),
    variation: VARIATION_SCHEMA.optional(),
    fixed: fields({
      startSec: timeSec.optional(),
      traceOffsetMs: z.number().min(0).max(86_400_000).optional(),
      sendJitterUs: z.number().min(0).max(1_000_000).optional(),
    }).optional(),
  },
  [
    { path: "forward", fields: DIRECTION_FIELDS },
    ...INSIDE_DIRECTION.map(({ path, fields: inside }) => ({ path: `forward.${path}`, fields: inside })),
  ],
  ["rttMs"],
);

export const SCENARIO_SCHEMA: Schema = withRule<Scenario>(SCENARIO_FIELDS, (scenario, complaints) => {
  const further = Object.keys(scenario.links ?? {});
  const known = new Set([...OWN_LINKS, ...further]);
  checkOwnLinks(complaints, scenario, further, known);
  checkFlows(complaints, scenario, known);
  checkTraffic(complaints, scenario, known);
  checkPacketSize(complaints, scenario);
  checkDeadlines(complaints, scenario);
  checkUse(complaints, scenario, further);
  checkSpares(complaints, scenario, further);
  checkBundles(complaints, scenario, further);
  checkMoves(complaints, scenario, known);
  checkOverlayFlows(complaints, scenario);
  checkStackFlows(complaints, scenario);
});
