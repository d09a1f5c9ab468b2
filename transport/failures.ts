/** Why a connection cannot go on, with the codes that Node's sockets have for the same. */
import { CcparkError } from "../core/errors.ts";
import { MICROS_PER_SEC, type Micros } from "../core/units.ts";

/** @param why what may be behind it */
export function peerIsSilent(silentUs: Micros, why = ""): CcparkError {
  const text = `[transport] the peer has not answered for ${(silentUs / MICROS_PER_SEC).toFixed(1)} s${why}`;
  return new CcparkError("unavailable", text, { code: "ETIMEDOUT" });
}

/** The peer's system says that no socket has that port. */
export function nobodyListens(peer: string): CcparkError {
  return new CcparkError("unavailable", `[transport] nobody listens on ${peer}`, { code: "ECONNREFUSED" });
}

/** The server says what does not fit. */
export function serverRefuses(why: string): CcparkError {
  return new CcparkError("failed-precondition", why, { code: "EPROTO" });
}
