/** What the tests of emulated links share: scenarios, sockets at the ends, threads that are not held up by others. */
import { withLink as withOpenLink } from "../../../eval/bench/emulator/links.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { EmulatedLink, LinkOptions } from "../../../testbeds/emulated/open-link.ts";
import { portOf, sockaddrIn } from "../../../testbeds/host/addresses.ts";
import {
  AF_INET,
  SCHED_FIFO,
  SCHED_OTHER,
  SCHED_RESET_ON_FORK,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "../../../testbeds/host/constants.ts";
import { type Libc, loadLibc } from "../../../testbeds/host/libc.ts";

export { linkOf, UDP_HEADER_BYTES } from "../../../eval/bench/emulator/links.ts";

export async function withLink<T>(
  scenario: Scenario,
  options: LinkOptions,
  use: (link: EmulatedLink, libc: Libc) => Promise<T> | T,
): Promise<T> {
  return withOpenLink(scenario, options, async (link) => use(link, await loadLibc()));
}

/** UDP sockets from the client to the server, each a flow of its own. */
export class UdpFlows {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly #libc: Libc;

  constructor(libc: Libc, { client, server }: EmulatedLink, count: number) {
    this.#libc = libc;
    const open = (): number => libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    this.to = Array.from({ length: count }, () => server.namespace.run(open));
    this.from = Array.from({ length: count }, () => client.namespace.run(open));
    this.to.forEach((fd, i) => {
      libc.bind(fd, sockaddrIn(server.address, 0));
      libc.connect(this.from[i]!, sockaddrIn(server.address, portOf(libc.getsockname(fd))));
    });
  }

  close(): void {
    for (const fd of [...this.from, ...this.to]) this.#libc.close(fd);
  }
}

/** Runs something on this thread before others, where the user may: what is measured is the link. */
export function hurried<T>(libc: Libc, body: () => T): T {
  try {
    libc.schedSetscheduler(SCHED_FIFO | SCHED_RESET_ON_FORK, 1);
  } catch {
    // an ordinary user's thread waits for its turn
    return body();
  }
  try {
    return body();
  } finally {
    libc.schedSetscheduler(SCHED_OTHER, 0);
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
