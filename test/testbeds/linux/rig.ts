/**
 * Two hosts for tests and a router between them, joined by cables of the kernel's own; a token bucket on the router's way to
 * the server loses packets where it is full. Everything is gone with the process.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Libc } from "../../../testbeds/host/libc.ts";
import { makeNamespace, type Namespace } from "../../../testbeds/host/namespaces.ts";
import type { Host } from "../../../testbeds/linux/hosts.ts";

let made = 0;

export interface Rig {
  readonly client: Host & { readonly namespace: Namespace };
  readonly server: Host & { readonly namespace: Namespace };
  readonly router: Namespace;
  /** of this process */
  readonly number: number;
  close(): void;
}

const ip = (command: string): void => {
  execFileSync("ip", command.split(" "), { stdio: "pipe" });
};

/** @param rate of tc-tbf, such as 50mbit; its queue holds `queueBytes` */
export function makeRig(libc: Libc, rate?: string, queueBytes = 60_000): Rig {
  const number = made++;
  const spaces = ["a", "r", "b"].map((role) => makeNamespace(libc, `test-${number}${role}`));
  const [client, router, server] = spaces as [Namespace, Namespace, Namespace];
  const name = `c${process.pid}-${number}`;
  const cable = (host: Namespace, end: string, network: string): void => {
    ip(`link add ${name}${end} netns ${host.name} type veth peer name ${name}${end}r netns ${router.name}`);
    ip(`-n ${host.name} address add ${network}.2/24 dev ${name}${end}`);
    ip(`-n ${router.name} address add ${network}.1/24 dev ${name}${end}r`);
    // a burst of two packets, as of a card without offloads
    ip(`-n ${host.name} link set ${name}${end} gso_max_size 3000 gso_max_segs 2 up`);
    ip(`-n ${router.name} link set ${name}${end}r up`);
    ip(`-n ${host.name} route add default via ${network}.1`);
  };
  cable(client, "a", "100.64.8");
  cable(server, "b", "100.64.9");
  router.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", "1"));
  if (rate !== undefined) {
    ip(
      `netns exec ${router.name} tc qdisc add dev ${name}br root tbf rate ${rate} burst 10kb limit ${queueBytes}`,
    );
  }
  return {
    client: { namespace: client, address: "100.64.8.2" },
    server: { namespace: server, address: "100.64.9.2" },
    router,
    number,
    close: () => {
      for (const space of spaces) space.close();
    },
  };
}
