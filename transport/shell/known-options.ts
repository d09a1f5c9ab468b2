/** The options of the user's functions: what is not known is refused by its name, as it would otherwise be without effect. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { CcparkError, showValue, unknownName } from "../../core/errors.ts";
import { numberOption } from "../chunnels/options.ts";
import type { StreamOptions, StreamUpgrade } from "./stream-slots.ts";

/** All keys of a type: one that is missing here, or too many, does not compile. */
export type KeysOf<T> = Readonly<Record<keyof T, true>>;

/** of Node */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const STREAM_OPTIONS: KeysOf<StreamOptions> = {
  priority: true,
  algorithm: true,
  secret: true,
  encryption: true,
  windowBytes: true,
  keepAliveMs: true,
  giveUpSec: true,
  offload: true,
  trace: true,
};

export const UPGRADE_OPTIONS: KeysOf<StreamUpgrade> = {
  priority: true,
  algorithm: true,
  encryption: true,
  datapath: true,
};

/** @param what whose options, such as `connect`; @throws CcparkError (invalid-argument, not-found) */
export function refuseUnknown<T extends object>(what: string, options: T, known: KeysOf<T>): void {
  if (typeof options !== "object" || options === null) {
    const text = `[transport] ${what}: got ${showValue(options)}, expected an object of options`;
    throw new CcparkError("invalid-argument", text);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) {
      throw unknownName("transport", `option of ${what}`, name, Object.keys(known), name);
    }
  }
}

/** Of what has a socket: those that the stack does not check itself. @throws CcparkError (invalid-argument) */
export function checkSocketOptions(
  what: string,
  { host = "127.0.0.1", port, keepAliveMs = 1, offload = true }: SocketOptions,
  lowestPort: 0 | 1 = 0,
): void {
  if (typeof host !== "string" || host === "") throw wrong(what, "host", host, "a name or an address");
  if (typeof offload !== "boolean") throw wrong(what, "offload", offload, "true or false");
  // a listener without one has any free one
  if (port !== undefined || lowestPort > 0) {
    numberOption(what, "port", port, { low: lowestPort, high: 65_535 });
  }
  numberOption(what, "keepAliveMs", keepAliveMs, { low: 1, high: MAX_TIMER_MS, whole: false });
}

interface SocketOptions extends Pick<StreamOptions, "keepAliveMs" | "offload"> {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

function wrong(what: string, option: string, got: unknown, expected: string): CcparkError {
  const text = `[transport] ${what}.${option}: got ${showValue(got)}, expected ${expected}`;
  return new CcparkError("invalid-argument", text);
}

/**
 * What a host is called in datagrams.
 * @throws CcparkError (unavailable) with the system's code, such as ENOTFOUND
 */
export async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CcparkError("unavailable", `[transport] host ${showValue(host)}: ${code}`, { cause, code });
  }
}
