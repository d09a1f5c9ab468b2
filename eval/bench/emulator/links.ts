/** What the parts of this benchmark share: links, and datagrams between their ends. */
import { getScenario } from "../../../scenarios/presets.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { type EmulatedLink, type LinkOptions, openLink } from "../../../testbeds/emulated/open-link.ts";
import { portOf, sockaddrIn } from "../../../testbeds/host/addresses.ts";
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from "../../../testbeds/host/constants.ts";
import type { Libc } from "../../../testbeds/host/libc.ts";

export interface PartOptions {
  readonly libc: Libc;
  /** of each measurement */
  readonly sec: number;
}

export type Row = Readonly<Record<string, string | number>>;

/** IPv4 and UDP headers. */
export const UDP_HEADER_BYTES = 28;
/** Nothing is left to chance. */
export const FIXED: NonNullable<Scenario["fixed"]> = { startSec: 0, traceOffsetMs: 0, sendJitterUs: 0 };

/** A link of constant rate. */
export function linkOf(mbps: number, oneWayMs: number, queue: Scenario["forward"]["queue"]): Scenario {
  return {
    ...getScenario("park-paper"),
    name: `${mbps} Mbit/s`,
    forward: { rate: { kind: "constant", mbps }, queue, lossRate: 0 },
    reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
    propagationDelayMs: oneWayMs,
    fixed: FIXED,
  };
}

export async function withLink<T>(
  scenario: Scenario,
  options: LinkOptions,
  use: (link: EmulatedLink) => Promise<T> | T,
): Promise<T> {
  const link = await openLink(scenario, 1, options);
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

/** A UDP socket at each end, from the client to the server. */
export class Datagrams {
  readonly from: number;
  readonly to: number;
  readonly #libc: Libc;

  constructor(libc: Libc, { client, server }: EmulatedLink) {
    this.#libc = libc;
    const open = (): number => libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    this.to = server.namespace.run(open);
    this.from = client.namespace.run(open);
    libc.bind(this.to, sockaddrIn(server.address, 0));
    libc.connect(this.from, sockaddrIn(server.address, portOf(libc.getsockname(this.to))));
  }

  close(): void {
    this.#libc.close(this.from);
    this.#libc.close(this.to);
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
