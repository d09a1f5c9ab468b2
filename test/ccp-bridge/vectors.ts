/** The shared golden vectors: measured by running Portus 0.8 and libccp. */
import { readFileSync } from "node:fs";
import { sharedData } from "../shared-data.ts";

export interface CompileVector {
  name: string;
  source: string;
  result: "ok" | "error" | "panic";
  events?: number[][];
  instrs?: number[][];
  hex?: string;
  registers?: Record<string, { file: string; index: number; type: string; volatile?: boolean }>;
  updates?: [string, number][];
  group: string;
}

export interface MessageVector {
  name: string;
  kind: string;
  fields: Record<string, unknown>;
  hex: string;
}

export interface VmStep {
  op: string;
  sid?: number;
  rc?: number;
  us?: number;
  value?: number;
  hex?: string;
  args?: Record<string, string>;
  set?: Record<string, string>;
  expect?: Record<string, unknown>;
  events?: { ev: string; rc?: number; hex?: string; cwnd?: number; rate?: number }[];
}

export interface VmVector {
  name: string;
  note?: string;
  steps: VmStep[];
}

export interface AgentVector {
  name: string;
  steps: { send: string; replies: string[] }[];
  callbacks: unknown[];
}

export interface Vectors {
  compile: CompileVector[];
  messages: MessageVector[];
  vm: VmVector[];
  agent: AgentVector[];
}

export function loadVectors(): Vectors | undefined {
  const path = sharedData("ccp/vectors.json");
  return path === undefined ? undefined : (JSON.parse(readFileSync(path, "utf8")) as Vectors);
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
