/**
 * Rules that choose an algorithm by a flow's addresses and ports: `dst-port:5001=cubic`, `src-ip:10.0.0.0/8=bbr`. The
 * first that matches counts. Datapaths do not agree on byte order in the create message (ccp-kernel puts network order
 * unconverted, others the host's), so a rule matches in either.
 */
import { CcparkError } from "../../core/errors.ts";
import type { FlowInfo } from "./algorithm.ts";

export interface FlowRule {
  readonly algorithm: string;
  matches(info: FlowInfo): boolean;
}

const FIELDS: Readonly<Record<string, "dstPort" | "srcPort" | "dstIp" | "srcIp">> = {
  "dst-port": "dstPort",
  "src-port": "srcPort",
  "dst-ip": "dstIp",
  "src-ip": "srcIp",
};

/** @throws CcparkError (invalid-argument) */
export function parseFlowRule(text: string): FlowRule {
  const [, name, value, algorithm] = /^([a-z-]+):([^=]+)=([^=]+)$/.exec(text) ?? [];
  const field = FIELDS[name ?? ""];
  if (field === undefined || value === undefined || algorithm === undefined) {
    const expected = `expected ${Object.keys(FIELDS).join(", ")}, such as dst-port:5001=cubic`;
    throw new CcparkError("invalid-argument", `[ccp-agent] rule \`${text}\`: ${expected}`);
  }
  const matches = name!.endsWith("port") ? parsePort(value) : parseNetwork(value);
  if (matches === undefined) {
    const expected = name!.endsWith("port") ? "a port from 0 to 65535" : "an IPv4 address, or one with /bits";
    throw new CcparkError(
      "invalid-argument",
      `[ccp-agent] rule \`${text}\`: got ${value}, expected ${expected}`,
    );
  }
  return { algorithm, matches: (info) => matches(info[field]) };
}

const SELECTORS: Readonly<Record<string, keyof FlowAddresses>> = {
  dport: "dstPort",
  sport: "srcPort",
  dst: "dstIp",
  src: "srcIp",
};

/** What of a flow rules look at. */
export type FlowAddresses = Pick<FlowInfo, "dstPort" | "srcPort" | "dstIp" | "srcIp">;

/**
 * Which flows are meant: `dport=5201`, `dst=10.0.0.0/8`, or several with commas, all of which have to be true.
 * @throws CcparkError (invalid-argument)
 */
export function parseFlowSelector(text: string): (flow: FlowAddresses) => boolean {
  const parts = text.split(",").map((part) => {
    const [name = "", value = ""] = part.trim().split("=", 2);
    const field = SELECTORS[name];
    const isPort = name.endsWith("port");
    const matches = isPort ? parsePort(value) : parseNetwork(value);
    if (field === undefined || matches === undefined) {
      const expected = `expected ${Object.keys(SELECTORS).join(", ")} with a port or an IPv4 address, such as dport=5201`;
      throw new CcparkError("invalid-argument", `[ccp-agent] flows \`${text}\`: got ${part}, ${expected}`);
    }
    return (flow: FlowAddresses) => matches(flow[field]);
  });
  return (flow) => parts.every((matches) => matches(flow));
}

function parsePort(text: string): ((value: number) => boolean) | undefined {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 0xffff) return undefined;
  const swapped = ((port & 0xff) << 8) | (port >>> 8);
  return (value) => value === port || value === swapped;
}

function parseNetwork(text: string): ((value: number) => boolean) | undefined {
  const [, address, bitsText = "32"] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const parts = address?.split(".") ?? [];
  const bits = Number(bitsText);
  const isByte = (part: string): boolean => /^\d{1,3}$/.test(part) && Number(part) <= 255;
  if (parts.length !== 4 || !parts.every(isByte) || bits > 32) return undefined;
  const mask = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
  const network = parts.reduce((sum, part) => sum * 256 + Number(part), 0) & mask;
  const inNetwork = (value: number): boolean => (value & mask) === network;
  return (value) => inNetwork(value) || inNetwork(swap32(value));
}

function swap32(value: number): number {
  return (
    ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | ((value >>> 24) & 0xff)
  );
}

/** The algorithm of the first rule that matches. */
export function chooseByRules(rules: readonly FlowRule[]): (info: FlowInfo) => string | undefined {
  return (info) => rules.find((rule) => rule.matches(info))?.algorithm;
}
