/** What this machine lets the program do, found out without doing it: each answer is undefined (it can) or one sentence why not. */

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Bits of the effective set in /proc/self/status (capabilities(7)). */
const CAP_NET_ADMIN = 12n;
const CAP_NET_RAW = 13n;
const CAP_SYS_ADMIN = 21n;
const TUN = "/dev/net/tun";
const CONGESTION_CONTROLS = "/proc/sys/net/ipv4/tcp_available_congestion_control";

function hasCapability(bit: bigint): boolean {
  if (process.platform !== "linux") return false;
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

/** What boxes between two sites need: a device of their own, and packets as they are. */
export function whyNoBoxes(): string | undefined {
  const why = whyNoHost();
  if (why !== undefined) return why;
  if (!hasCapability(CAP_NET_ADMIN) || !hasCapability(CAP_NET_RAW)) {
    return "it makes a device, routes and raw sockets, which needs root: run it with sudo";
  }
  return whyNoTun();
}

/** For who is not root. */
export function whyNoUserNamespaces(): string | undefined {
  if (process.platform !== "linux") return `they need Linux, got ${process.platform}`;
  const tried = spawnSync("unshare", ["--user", "--map-root-user", "--net", "--mount", "true"]);
  if (tried.status === 0) return undefined;
  if (tried.error !== undefined)
    return "unshare of util-linux is not on the PATH: apt-get install util-linux";
  return "the system does not allow them: sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000";
}

/** What the running kernel offers to TCP; whatever loads programs into it adds what it needs. */
export const KERNEL_ABILITIES: readonly {
  readonly name: string;
  why(): string | undefined;
  note?(): string;
}[] = [
  {
    name: "types of the kernel (BTF)",
    why: () =>
      existsSync("/sys/kernel/btf/vmlinux")
        ? undefined
        : "/sys/kernel/btf/vmlinux is missing: a kernel with CONFIG_DEBUG_INFO_BTF=y",
  },
  {
    name: "libbpf.so.1",
    why: () =>
      ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib64"].some(
        (folder) => existsSync(`${folder}/libbpf.so.1`),
      )
        ? undefined
        : "it is not installed: apt-get install libbpf1",
  },
  {
    name: "congestion controls",
    why: () => (existsSync(CONGESTION_CONTROLS) ? undefined : `it needs Linux, got ${process.platform}`),
    note: () => (existsSync(CONGESTION_CONTROLS) ? readFileSync(CONGESTION_CONTROLS, "utf8").trim() : ""),
  },
];
