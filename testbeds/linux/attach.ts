/** What sockets of a network namespace get that do not choose: our congestion control, and explicit congestion notification. */
import { readFileSync, writeFileSync } from "node:fs";
import { CcparkError } from "../../core/errors.ts";
import type { SenderOptions } from "../../scenarios/sender-options.ts";
import type { HostNamespace } from "./hosts.ts";

const DEFAULT = "/proc/sys/net/ipv4/tcp_congestion_control";
const ECN = "/proc/sys/net/ipv4/tcp_ecn";
/** Documentation/networking/ip-sysctl.rst: asked for and accepted; 2, accepted only, is what Linux has by itself */
const ECN_MODES = { off: 0, classic: 1, accurate: 3 } as const;

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

/**
 * New connections of the namespace negotiate ECN so, or not at all.
 * @throws CcparkError (failed-precondition) where this kernel has no accurate ECN
 */
export function useEcn(mode: NonNullable<SenderOptions["ecn"]>, namespace: HostNamespace): void {
  try {
    namespace.run(() => writeFileSync(ECN, `${ECN_MODES[mode]}`));
  } catch (cause) {
    const message = `[linux] this kernel has no ${mode} ECN: it refuses net.ipv4.tcp_ecn=${ECN_MODES[mode]}`;
    throw new CcparkError("failed-precondition", message, { field: "sender.ecn", cause });
  }
}
