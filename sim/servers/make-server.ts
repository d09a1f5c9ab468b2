/** The server of a rate, with outages if there are any. */
import type { Rng } from "../../core/random.ts";
import { NANOS_PER_SEC } from "../../core/units.ts";
import { ConstantServer } from "./constant-server.ts";
import { type Opportunities, PoissonOpportunities, TraceOpportunities } from "./opportunities.ts";
import { OpportunityServer } from "./opportunity-server.ts";
import { InterruptedOpportunities, InterruptedRate, joinOutages } from "./outages.ts";
import { type Piecewise, PointSeries } from "./piecewise.ts";
import { markovRate, randomStepsRate } from "./random-rates.ts";
import type { LinkRate, Outage, PointSchedule } from "./rate.ts";
import { ScheduledServer } from "./scheduled-server.ts";
import type { Server } from "./server.ts";
import { UnlimitedServer } from "./unlimited-server.ts";

export interface ServerOptions {
  /** of this link's rate alone; only random rates draw from it (forks: block.N) */
  readonly rng: Rng;
  /** no service in these spans, packets wait; in any order, they may overlap */
  readonly outages?: readonly Outage[] | undefined;
}

/** No service ever. */
const CLOSED: Piecewise = constantRate(0);

function constantRate(rateBytesPerSec: number): Piecewise {
  return new PointSeries([{ atNs: 0, value: rateBytesPerSec / NANOS_PER_SEC }], { between: "constant" });
}

function pointRate({ points, periodNs, originNs }: PointSchedule, between: "constant" | "linear"): Piecewise {
  if (points.every((point) => point.rateBytesPerSec === 0)) return CLOSED;
  return new PointSeries(
    points.map(({ atNs, rateBytesPerSec }) => ({ atNs, value: rateBytesPerSec / NANOS_PER_SEC })),
    { between, periodNs, originNs },
  );
}

/** Numbers are taken as they are: the scenario has checked them. */
export function makeServer(rate: LinkRate, options: ServerOptions): Server {
  const outages = joinOutages(options.outages ?? []);
  const scheduled = (piecewise: Piecewise): Server =>
    new ScheduledServer(outages.length === 0 ? piecewise : new InterruptedRate(piecewise, outages));
  const byOpportunities = (all: Opportunities): Server =>
    new OpportunityServer(outages.length === 0 ? all : new InterruptedOpportunities(all, outages));
  switch (rate.kind) {
    case "unlimited":
      return outages.length === 0
        ? new ConstantServer(Number.POSITIVE_INFINITY)
        : new UnlimitedServer(outages);
    case "constant":
      if (rate.rateBytesPerSec === Number.POSITIVE_INFINITY)
        return makeServer({ kind: "unlimited" }, options);
      return outages.length === 0 && rate.rateBytesPerSec > 0
        ? new ConstantServer(rate.rateBytesPerSec)
        : scheduled(constantRate(rate.rateBytesPerSec));
    case "steps":
      return scheduled(pointRate(rate, "constant"));
    case "ramp":
      return scheduled(pointRate(rate, "linear"));
    case "markov":
      return scheduled(
        rate.states.every((state) => state.rateBytesPerSec === 0)
          ? CLOSED
          : markovRate(rate.states, options.rng),
      );
    case "random-steps":
      return scheduled(rate.maxBytesPerSec === 0 ? CLOSED : randomStepsRate(rate, options.rng));
    case "trace":
      return byOpportunities(new TraceOpportunities(rate.opportunitiesMs, rate.offsetNs, rate.end ?? "loop"));
    case "poisson":
      return rate.rateBytesPerSec > 0
        ? byOpportunities(new PoissonOpportunities(rate.rateBytesPerSec, options.rng))
        : scheduled(CLOSED);
  }
}
