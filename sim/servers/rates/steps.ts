import { type Serve, servePieces } from "./link-servers.ts";
import { type PointSchedule, pointPieces } from "./points.ts";

/** Constant from each point to the next; the first holds before its time too. Rate 0 is an outage. */
export interface StepsLinkRate extends PointSchedule {
  readonly kind: "steps";
}

export const serveSteps: Serve<StepsLinkRate> = (rate, parts) =>
  servePieces(pointPieces(rate, "constant"), parts);
