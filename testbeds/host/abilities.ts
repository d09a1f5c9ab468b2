/** What this machine lets the program do, found out without doing it: each answer is undefined (it can) or one sentence why not. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Bits of the effective set in /proc/self/status (capabilities(7)). */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;
const TUN = "/dev/net/tun";

function hasCapability(bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

/** Linux and koffi. */
export function whyNoHost(): string | undefined {
  if (process.platform !== "linux") return `it needs Linux, got ${process.platform}`;
  try {
    createRequire(import.meta.url).resolve("koffi");
  } catch {
    return `it needs the package koffi, which is not installed for linux ${process.arch}: npm install koffi`;
  }
  return undefined;
}

/** Namespaces of one's own, by root or inside a user namespace. */
export function whyNoNamespaces(): string | undefined {
  if (hasCapability(CAP_SYS_ADMIN) && hasCapability(CAP_NET_ADMIN)) return undefined;
  return "it makes network namespaces, which needs root: run it with sudo, or inside `unshare --user --map-root-user --net --mount`";
}

export function whyNoTun(): string | undefined {
  if (!existsSync(TUN)) return `${TUN} is missing: modprobe tun`;
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK);
  } catch {
    return `this user may not open ${TUN}: chmod 666 ${TUN}`;
  }
  return undefined;
}

/** All that a link of ours needs. */
export function whyNoLinks(): string | undefined {
  return whyNoHost() ?? whyNoNamespaces() ?? whyNoTun();
}
