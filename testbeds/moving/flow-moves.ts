/** Flows of the simulator that go on over other links under their names: when their scenario says so, and when somebody asks for it. */
import { CcparkError } from "../../core/errors.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { canBeMoved, type MoveTarget } from "../../scenarios/traffic/named-flows.ts";
import { DIRECT, GeneralNetwork } from "../../sim/general/general-network.ts";
import type { LinkMeter, Network, Route } from "../../sim/network.ts";
import {
  linkNames,
  type PlanContext,
  type PlannedFlow,
  planMove,
  planMoves,
} from "../simulated/network-plan.ts";
import type { LinkTruth } from "../testbed.ts";
import { MovingMeter } from "./moving-meter.ts";

const WAYS = ["forward", "reverse"] as const;

/** The moves of the scenario happen in their time. */
export function scheduleMoves(network: GeneralNetwork, context: PlanContext): void {
  for (const { atNs, route } of planMoves(context)) {
    network.schedule(atNs, () => network.move(network.flows[0]!, route));
  }
}

/** The links that are measured: those of the first flow under test, wherever it goes. */
export function measuredLinks(
  network: Network,
  context: PlanContext,
): Pick<LinkTruth, "forward" | "reverse"> {
  if (!(network instanceof GeneralNetwork && canBeMoved(context.scenario))) {
    const { forward, reverse } = network;
    return { forward, reverse };
  }
  const moves = planMoves(context);
  const measured = (way: (typeof WAYS)[number]): LinkMeter => {
    const stages = moves.map((move) => ({ fromNs: move.atNs, meter: network.hops[move[way]]! }));
    return new MovingMeter([{ fromNs: 0, meter: network[way] }, ...stages], network);
  };
  return { forward: measured("forward"), reverse: measured("reverse") };
}

/**
 * A flow moves now. @param planned flows of the scenario, in their order @param truth with the measured links, which move with the first
 * @throws CcparkError as `Run.move`
 */
export function moveNow(
  network: Network,
  of: { readonly scenario: Scenario; readonly planned: readonly PlannedFlow[]; readonly truth: LinkTruth },
  flowId: string,
  to: MoveTarget,
): void {
  const { scenario, planned, truth } = of;
  if (!(network instanceof GeneralNetwork && canBeMoved(scenario))) {
    const message = `[testbed] ${scenario.name}: its flows stay, expected \`moves\` or \`spareLinks\` in the scenario`;
    throw new CcparkError("failed-precondition", message);
  }
  const place = planned.findIndex(({ id, stack }) => id === flowId && stack === undefined);
  if (place < 0) {
    throw new CcparkError("not-found", `[testbed] ${scenario.name}: no flow \`${flowId}\` that could move`);
  }
  const { route: own = DIRECT } = planned[place]!.spec;
  checkTarget(scenario, own, to);
  const { route, ...links } = planMove(scenario, to, own);
  network.move(network.flows[place]!, route);
  if (place > 0) return;
  for (const way of WAYS) {
    const meter = truth[way];
    if (meter instanceof MovingMeter) meter.moveTo(network.hops[links[way]]!, network.nowNs);
  }
}

/** No link comes twice in a way, and a route without `forward` or `reverse` has none in its place. */
function checkTarget(scenario: Scenario, own: Route, to: MoveTarget): void {
  const names = linkNames(scenario);
  WAYS.forEach((way, number) => {
    const links = [own.forward, own.reverse].find((each) => each.includes(number));
    const free = names.filter((_, link) => link === number || links?.includes(link) === false);
    if (free.includes(to[way])) return;
    const message = `[testbed] ${way}: got ${JSON.stringify(to[way])}, expected one of ${free.join(", ")}`;
    throw new CcparkError("invalid-argument", message, { field: way });
  });
}
