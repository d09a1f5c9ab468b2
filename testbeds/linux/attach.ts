/** How programs that know nothing of us get our congestion control: as the default of a network namespace. */
import { readFileSync, writeFileSync } from "node:fs";
import type { HostNamespace } from "./hosts.ts";

const DEFAULT = "/proc/sys/net/ipv4/tcp_congestion_control";

/** What sockets get that do not choose, in the thread's network namespace. */
export function defaultCongestionControl(): string {
  return readFileSync(DEFAULT, "utf8").trim();
}

/** @returns what gives the namespace its own default back */
export function makeDefault(name: string, namespace?: HostNamespace): () => void {
  const inside = namespace?.run.bind(namespace) ?? ((body: () => void) => body());
  let before = "";
  inside(() => {
    before = defaultCongestionControl();
    writeFileSync(DEFAULT, name);
  });
  return () => inside(() => writeFileSync(DEFAULT, before));
}
