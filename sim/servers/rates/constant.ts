import { type BytesPerSec, NANOS_PER_SEC } from "../../../core/units.ts";
import { ConstantServer } from "../constant-server.ts";
import { constantPieces } from "../piecewise.ts";
import { type Serve, servePieces } from "./link-servers.ts";
import { serveUnlimited } from "./unlimited.ts";

export interface ConstantLinkRate {
  readonly kind: "constant";
  /** Infinity: unlimited */
  readonly rateBytesPerSec: BytesPerSec;
}

export const serveConstant: Serve<ConstantLinkRate> = ({ rateBytesPerSec }, parts) => {
  if (rateBytesPerSec === Number.POSITIVE_INFINITY) return serveUnlimited({ kind: "unlimited" }, parts);
  return parts.outages.length === 0 && rateBytesPerSec > 0
    ? new ConstantServer(rateBytesPerSec)
    : servePieces(constantPieces(rateBytesPerSec / NANOS_PER_SEC), parts);
};
