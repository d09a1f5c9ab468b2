import { type Serve, servePieces } from "./link-servers.ts";
import { type PointSchedule, pointPieces } from "./points.ts";

/** Linear between the points, constant before the first and after the last; two points at one time are a jump. */
export interface RampLinkRate extends PointSchedule {
  readonly kind: "ramp";
}

export const serveRamp: Serve<RampLinkRate> = (rate, parts) =>
  servePieces(pointPieces(rate, "linear"), parts);
