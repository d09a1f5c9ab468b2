/**
 * `npm run bench:emulator [-- --json] [--part NAME,NAME,...] [--sec 5]`, as root: how exact emulated links are. Parts:
 * probes: how much later than computed 1,000 probes come through 20 ms and 48 Mbit/s; traces: what a source that never pauses gets of
 * the opportunities of recorded traces, on the whole and by the second; tcp: what Linux's TCP gets of 12, 48, 96 and 500 Mbit/s;
 * mahimahi: the traces through mm-link, where it is installed.
 */
import { CcparkError } from "../../../core/errors.ts";
import { scriptOptions } from "../../../envs/grpc/bench/options.ts";
import { whyNoLinks } from "../../../testbeds/host/abilities.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { printRow } from "../console.ts";
import { mahimahi } from "./mahimahi.ts";
import { probes } from "./probes.ts";
import { tcp } from "./tcp.ts";
import { traces } from "./traces.ts";

const PARTS = { probes, traces, tcp, mahimahi } as const;

const { values } = scriptOptions("bench:emulator", {
  json: { type: "boolean", what: "a row of JSON each" },
  part: { type: "string", what: "which", among: Object.keys(PARTS), default: Object.keys(PARTS).join(",") },
  sec: { type: "number", what: "of each run", low: 2, high: 3_600, isFraction: true, default: "5" },
});
const why = whyNoLinks();
if (why !== undefined) throw new CcparkError("failed-precondition", `[bench] no links here: ${why}`);
const named = values.part.split(",");
const { sec } = values;
const libc = await loadLibc();
for (const [name, part] of Object.entries(PARTS)) {
  if (!named.includes(name)) continue;
  for await (const row of part({ libc, sec })) printRow({ bench: name, ...row });
}
