/** What servers of every kind of rate are built with. */
import type { Rng } from "../../../core/random.ts";
import type { Opportunities } from "../opportunities.ts";
import { OpportunityServer } from "../opportunity-server.ts";
import { InterruptedOpportunities, InterruptedRate, type Outage } from "../outages.ts";
import { constantPieces, type Piecewise } from "../piecewise.ts";
import { ScheduledServer } from "../scheduled-server.ts";
import type { Server } from "../server.ts";

export interface ServerParts {
  /** of this link's rate alone; only random rates draw from it (forks: block.N) */
  readonly rng: Rng;
  /** no service in these spans, packets wait; as `joinOutages` gives them */
  readonly outages: readonly Outage[];
}

/** Makes the server of one kind of rate. Numbers are taken as they are: the scenario has checked them. */
export type Serve<Rate> = (rate: Rate, parts: ServerParts) => Server;

/** Serves at a rate that changes over time, in bytes per nanosecond. */
export function servePieces(rate: Piecewise, { outages }: ServerParts): Server {
  return new ScheduledServer(outages.length === 0 ? rate : new InterruptedRate(rate, outages));
}

/** Serves at opportunities of 1504 bytes. */
export function serveOpportunities(all: Opportunities, { outages }: ServerParts): Server {
  return new OpportunityServer(outages.length === 0 ? all : new InterruptedOpportunities(all, outages));
}

/** No service ever. */
export const CLOSED: Piecewise = constantPieces(0);
