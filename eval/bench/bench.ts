/**
 * `npm run bench:bench [-- --against DIR] [-- --json]`: packets per CPU second of whole `ccpark bench` runs, each a process of its own: its
 * start, its threads, its runs and its output count. With `--against`, another tree that has been built, whose runs take turns with
 * this one's, so that both see the same machine.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { printRow } from "./console.ts";

const ROUNDS = 5;
const HERE: string = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

/** On as many threads as the tree takes by itself. */
const SUITE: readonly string[] = [
  ...["--suite", "pantheon", "--algorithms", "cubic,bbr,vegas,reno"],
  ...["--seeds", "2"],
];

/** Each long enough for a start of half a second not to matter much. */
const BENCHES: Readonly<Record<string, readonly string[]>> = {
  "one link, cubic, bbr, vegas, reno": [
    ...["--scenario", "park-paper", "--algorithms", "cubic,bbr,vegas,reno"],
    ...["--seeds", "3", "--duration", "600", "--workers", "1"],
  ],
  "suite pantheon, four algorithms": SUITE,
  "the same, two threads in either tree": [...SUITE, "--workers", "2"],
};

/** The process tells, as it ends, how long all of its threads were on a processor. */
const TELL_CPU =
  "data:text/javascript,import{isMainThread}from'node:worker_threads';import{writeSync}from'node:fs';" +
  "if(isMainThread)process.on('exit',()=>{const{user,system}=process.cpuUsage();writeSync(2,'cpuMicros '+(user+system))})";

/** Of a user's machine: others have Node read certificates at each start, for which the command has no use. */
const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env };
for (const name of ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS"]) delete ENVIRONMENT[name];

interface Measured {
  readonly packets: number;
  readonly cpuSec: number;
  readonly wallSec: number;
}

function runOnce(main: string, bench: readonly string[]): Measured {
  const began = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", TELL_CPU, main, "bench", ...bench, "--json", "--quiet"],
    { encoding: "utf8", maxBuffer: 2 ** 28, env: ENVIRONMENT },
  );
  const wallSec = (performance.now() - began) / 1000;
  const cpu = /cpuMicros (\d+)/.exec(stderr);
  if (status !== 0 || cpu === null) throw new Error(`${main} bench ${bench.join(" ")}: ${stderr}`);
  let packets = 0;
  for (const line of stdout.trim().split("\n")) {
    const { sentPackets, flows } = JSON.parse(line) as {
      sentPackets: number;
      flows?: readonly { readonly sentPackets: number }[];
    };
    packets += flows === undefined ? sentPackets : flows.reduce((sum, flow) => sum + flow.sentPackets, 0);
  }
  return { packets, cpuSec: Number(cpu[1]) / 1e6, wallSec };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const { values } = scriptOptions("bench:bench", {
  against: { type: "string", what: "another tree that has been built" },
  json: { type: "boolean", what: "a row of JSON each" },
});
const trees: [name: string, main: string][] = [["here", HERE]];
if (values.against !== undefined) trees.push(["against", `${values.against}/dist/cli/main.js`]);

for (const [what, bench] of Object.entries(BENCHES)) {
  const measured = new Map(trees.map(([name]) => [name, [] as Measured[]]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, main] of trees) measured.get(name)!.push(runOnce(main, bench));
  const rate = (name: string): number =>
    median(measured.get(name)!.map(({ packets, cpuSec }) => packets / cpuSec));
  for (const [name] of trees) {
    const runs = measured.get(name)!;
    printRow({
      what,
      tree: name,
      packets: runs[0]!.packets,
      packetsPerCpuSec: rate(name),
      wallSec: median(runs.map(({ wallSec }) => wallSec)),
    });
  }
  if (trees.length > 1) printRow({ what, ratio: rate("here") / rate("against") });
}
