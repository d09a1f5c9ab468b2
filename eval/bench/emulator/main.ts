/**
 * `npm run bench:emulator [-- --json] [--part NAME,NAME,...] [--sec 5]`, as root: how exact emulated links are. Parts:
 * probes: how much later than computed 1,000 probes come through 20 ms and 48 Mbit/s; traces: what a source that never pauses gets of
 * the opportunities of recorded traces, on the whole and by the second; tcp: what Linux's TCP gets of 12, 48, 96 and 500 Mbit/s;
 * mahimahi: the traces through mm-link, where it is installed.
 */
import { CcparkError } from "../../../core/errors.ts";
import { whyNoLinks } from "../../../testbeds/host/abilities.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { printRow } from "../console.ts";
import { mahimahi } from "./mahimahi.ts";
import { probes } from "./probes.ts";
import { tcp } from "./tcp.ts";
import { traces } from "./traces.ts";

const PARTS = { probes, traces, tcp, mahimahi } as const;
const DEFAULT_SEC = 5;

function optionOf(option: string): string | undefined {
  const at = process.argv.indexOf(option);
  return at < 0 ? undefined : process.argv[at + 1];
}

const why = whyNoLinks();
if (why !== undefined) throw new CcparkError("failed-precondition", `[bench] no links here: ${why}`);
const named = optionOf("--part")?.split(",") ?? Object.keys(PARTS);
const unknown = named.find((name) => !Object.hasOwn(PARTS, name));
if (unknown !== undefined) {
  const message = `[bench] --part: got ${unknown}, expected of ${Object.keys(PARTS).join(", ")}`;
  throw new CcparkError("invalid-argument", message);
}
const sec = Number(optionOf("--sec") ?? DEFAULT_SEC);
if (!(sec >= 2)) throw new CcparkError("invalid-argument", `[bench] --sec: got ${sec}, expected 2 or more`);
const libc = await loadLibc();
for (const [name, part] of Object.entries(PARTS)) {
  if (!named.includes(name)) continue;
  for await (const row of part({ libc, sec })) printRow({ bench: name, ...row });
}
