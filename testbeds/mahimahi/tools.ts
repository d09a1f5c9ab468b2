/** Mahimahi's tools (Netravali et al. 2015), where they are installed, and what they want of the machine and of who calls them. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export const TOOLS = ["mm-delay", "mm-loss", "mm-link"] as const;

/** 0 or 1: a new namespace forwards if the system's first one does; 2: never; 3: if the one that it is made in does. */
const INHERITANCE = "/proc/sys/net/core/devconf_inherit_init_net";
export const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

function isOnPath(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Undefined: all of them are there; else one sentence that says how to get them. */
export function whyNoMahimahi(): string | undefined {
  const missing = TOOLS.filter((tool) => !isOnPath(tool));
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not on the PATH: apt-get install mahimahi (Ubuntu), or build github.com/ravinet/mahimahi`;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Each shell wants packets to be forwarded in the namespace that it starts from: for the first that is this one, or one that
 * root makes for it; for one inside another it is that one's.
 * @param shells how many stand around the command
 * @param firstForwards the first one's namespace is made for it
 */
export function whyNoForwarding(shells: number, firstForwards: boolean): string | undefined {
  const forwards = readFileSync(IP_FORWARD, "utf8").trim() === "1";
  if (!firstForwards && !forwards)
    return "its shells need packets to be forwarded: sysctl -w net.ipv4.ip_forward=1";
  // in a namespace that somebody has made the rule is not to be seen
  const rule = existsSync(INHERITANCE) ? readFileSync(INHERITANCE, "utf8").trim() : "3";
  if (shells < 2 || rule === "3" || (rule !== "2" && forwards)) return undefined;
  return "a shell of it inside another needs the other's forwarding: sysctl -w net.core.devconf_inherit_init_net=3";
}

/** Whom the shells run as: they refuse root. */
export interface ShellUser {
  readonly uid: number;
  readonly gid: number;
}

/** Behind sudo who called it; undefined: nobody did. */
export function callerOfSudo(): ShellUser | undefined {
  const [uid = 0, gid = 0] = [process.env["SUDO_UID"], process.env["SUDO_GID"]].map(Number);
  return uid > 0 && gid > 0 ? { uid, gid } : undefined;
}
