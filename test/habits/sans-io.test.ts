/** The lint's ban of clocks, timers and randomness: each is planted in a file of every folder that owns none, and refused. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIOME = join(ROOT, "node_modules/.bin/biome");

const RANDOMNESS = "the core owns no randomness: a seeded generator comes in as an argument";
const CLOCK = "the core owns no clock: time comes in as an argument";
const TIMERS = "the core owns no timers: time comes in as an argument";
const BY_NAME =
  "members of Math and of the global object are read by name, where the ban of clocks and randomness sees them";

/** Expressions that are refused, and the sentence. */
const REFUSED: readonly (readonly [code: string, sentence: string])[] = [
  ["Math.random()", RANDOMNESS],
  ["Math?.random()", RANDOMNESS],
  ["[1, 2].map(Math.random)", RANDOMNESS],
  ["globalThis.Math.random()", RANDOMNESS],
  ["crypto.getRandomValues(new Uint32Array(1))", RANDOMNESS],
  ["globalThis.crypto.randomUUID()", RANDOMNESS],
  ["Date.now()", CLOCK],
  ["new Date()", CLOCK],
  ["globalThis.Date.now()", CLOCK],
  ["new globalThis.Date()", CLOCK],
  ["performance.now()", CLOCK],
  ["globalThis.performance.now()", CLOCK],
  ["(globalThis as unknown as { performance: { now(): number } }).performance.now()", CLOCK],
  ["setTimeout(() => undefined, 1)", TIMERS],
  ["setInterval(() => undefined, 1)", TIMERS],
  ["setImmediate(() => undefined)", TIMERS],
  ["queueMicrotask(() => undefined)", TIMERS],
  ["globalThis.setTimeout(() => undefined, 1)", TIMERS],
  ["globalThis.setInterval(() => undefined, 1)", TIMERS],
  ["globalThis.setImmediate(() => undefined)", TIMERS],
  ["globalThis.queueMicrotask(() => undefined)", TIMERS],
  ['Math["random"]()', BY_NAME],
  ['globalThis["Date"]', BY_NAME],
  ["((): number => { const { random } = Math; return random(); })()", BY_NAME],
  ["((): number => { const all = globalThis; return all.Date.now(); })()", BY_NAME],
];

/** What looks like it and is not. */
const ORDINARY = [
  "Math.floor(Math.max(1.5, 2))",
  "((rng: { random(): number }) => rng.random())",
  "((run: { readonly nowUs: number }) => run.nowUs)",
  "((report: { readonly Date: string; readonly performance: number }) => [report.Date, report.performance])",
  "((host: { setTimeout(atUs: number): void }) => host.setTimeout(3))",
  "(globalThis as unknown as { WebAssembly: object }).WebAssembly",
];

/** A folder of each floor without I/O. */
const SANS_IO = [
  "core",
  "flows",
  "scenarios/rates",
  "ccp-bridge/datapath",
  "algorithms/ccp",
  "engine",
  "sim/servers",
  "testbeds/simulated",
  "envs/signals",
  "envs/vector",
  "agents",
];
/** Shells around them, which are there for I/O. */
const SHELLS = [
  "envs/grpc",
  "envs/foreign-agent",
  "testbeds/udp",
  "testbeds/real-time",
  "testbeds/host",
  "testbeds/emulated",
  "testbeds/mahimahi",
  "testbeds/linux",
  "testbeds/sites",
  "ccp-bridge/ipc",
  "cli",
  "eval",
];

interface Finding {
  readonly file: string;
  readonly message: string;
}

/** Lints files that hold one expression each, in a copy of the repository's folders with its configuration. */
function lint(folder: string, files: ReadonlyMap<string, string>): Finding[] {
  for (const name of ["biome.json", "sans-io.grit", ".gitignore"]) {
    copyFileSync(join(ROOT, name), join(folder, name));
  }
  for (const [file, code] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `export const planted: unknown = ${code};\n`);
  }
  // the report for readers, since only that has the sentences of `noRestrictedGlobals`
  const args = ["lint", "--colors=off", "--max-diagnostics=none", "--diagnostic-level=error", "."];
  const { stderr, stdout } = spawnSync(BIOME, args, { cwd: folder, encoding: "utf8" });
  const findings = `${stdout}\n${stderr}`
    .split(/^(?=\S+\.ts(?::\d+:\d+)? .*━)/m)
    .flatMap((block): Finding[] => {
      const file = /^(\S+?\.ts)(?::\d+:\d+)? .*━/.exec(block)?.[1];
      return file === undefined ? [] : [{ file: file.replace(/^\.\//, ""), message: block }];
    });
  if (findings.length === 0) throw new Error(`nothing found by biome: ${stdout}${stderr}`);
  return findings;
}

const planted = (folder: string, kind: string, i: number): string => `${folder}/${kind}-${i}.ts`;

describe("the ban of clocks, timers and randomness", () => {
  let folder = "";
  let findings: Finding[] = [];
  const messages = (file: string): string =>
    findings
      .filter((finding) => finding.file === file)
      .map(({ message }) => message)
      .join("\n");

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-habits-"));
    const files = new Map<string, string>();
    for (const place of [...SANS_IO, ...SHELLS]) {
      REFUSED.forEach(([code], i) => {
        files.set(planted(place, "refused", i), code);
      });
      ORDINARY.forEach((code, i) => {
        files.set(planted(place, "ordinary", i), code);
      });
    }
    findings = lint(folder, files);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(REFUSED.map(([code, sentence], i) => [code, sentence, i] as const))(
    "refuses %s",
    (_, sentence, i) => {
      for (const place of SANS_IO) expect(messages(planted(place, "refused", i)), place).toContain(sentence);
    },
  );

  it.each(ORDINARY.map((code, i) => [code, i] as const))("lets pass %s", (_, i) => {
    for (const place of SANS_IO) expect(messages(planted(place, "ordinary", i)), place).toBe("");
  });

  it("leaves the shells alone, which are there for I/O", () => {
    const sentences = [RANDOMNESS, CLOCK, TIMERS, BY_NAME];
    const inShells = findings.filter(
      ({ file, message }) =>
        SHELLS.some((place) => file.startsWith(`${place}/`)) &&
        sentences.some((each) => message.includes(each)),
    );
    expect(inShells).toEqual([]);
  });
});
