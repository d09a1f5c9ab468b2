/**
 * How fast a link is, in the simulator's units (bytes per second, nanoseconds from the simulation's beginning), and the
 * server that serves so. Every kind of rate has one file; a new kind is a member of the type and an entry of the table.
 */
import type { Rng } from "../../core/random.ts";
import { joinOutages, type Outage } from "./outages.ts";
import { type ConstantLinkRate, serveConstant } from "./rates/constant.ts";
import { type ControlledLinkRate, serveControlled } from "./rates/controlled.ts";
import type { Serve } from "./rates/link-servers.ts";
import { type MarkovLinkRate, serveMarkov } from "./rates/markov.ts";
import { type PoissonLinkRate, servePoisson } from "./rates/poisson.ts";
import { type RampLinkRate, serveRamp } from "./rates/ramp.ts";
import { type RandomStepsLinkRate, serveRandomSteps } from "./rates/random-steps.ts";
import { type StepsLinkRate, serveSteps } from "./rates/steps.ts";
import { serveTrace, type TraceLinkRate } from "./rates/trace.ts";
import { serveUnlimited, type UnlimitedLinkRate } from "./rates/unlimited.ts";
import type { Server } from "./server.ts";

export type LinkRate =
  | ConstantLinkRate
  | TraceLinkRate
  | UnlimitedLinkRate
  | StepsLinkRate
  | RampLinkRate
  | MarkovLinkRate
  | RandomStepsLinkRate
  | PoissonLinkRate
  | ControlledLinkRate;

const SERVERS: { readonly [K in LinkRate["kind"]]: Serve<Extract<LinkRate, { readonly kind: K }>> } = {
  constant: serveConstant,
  trace: serveTrace,
  unlimited: serveUnlimited,
  steps: serveSteps,
  ramp: serveRamp,
  markov: serveMarkov,
  "random-steps": serveRandomSteps,
  poisson: servePoisson,
  controlled: serveControlled,
};

export interface ServerOptions {
  /** of this link's rate alone; only random rates draw from it (forks: block.N) */
  readonly rng: Rng;
  /** no service in these spans, packets wait; in any order, they may overlap */
  readonly outages?: readonly Outage[] | undefined;
}

/** The server of a rate, with outages if there are any. */
export function makeServer(rate: LinkRate, { rng, outages = [] }: ServerOptions): Server {
  const serve = SERVERS[rate.kind] as Serve<LinkRate>;
  return serve(rate, { rng, outages: joinOutages(outages) });
}
