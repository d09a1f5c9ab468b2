/** Each example of the transport by the command that docs/transport.md states. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

async function example(name: string, ...options: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [
    "--import",
    "tsx",
    `examples/transport/${name}.ts`,
    ...options,
  ]);
  return stdout;
}

it("the documentation has the commands", () => {
  const docs = readFileSync("docs/transport.md", "utf8");
  for (const name of ["file-transfer", "key-value", "alternate-paths"]) {
    expect(docs).toContain(`npx tsx examples/transport/${name}.ts`);
  }
});

it("a file comes whole although the stack changes on the way", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-example-"));
  const path = join(folder, "file.bin");
  writeFileSync(path, randomBytes(2_000_000));
  const out = await example("file-transfer", path, "--into", join(folder, "received"));
  expect(out).toContain("1 stacks exchanged, same SHA-256");
  expect(readFileSync(join(folder, "received", "file.bin")).equals(readFileSync(path))).toBe(true);
  // what is only for show leaves nothing behind
  const shown = /received (\S+)\/file\.bin/.exec(await example("file-transfer", path))![1]!;
  expect(existsSync(shown)).toBe(false);
  rmSync(folder, { recursive: true });
}, 60_000);

it.each([
  ["file-transfer", ["nope"], "nope: expected a file"],
  ["file-transfer", ["package.json", "--to", "127.0.0.1:9"], "[transport] nobody listens on 127.0.0.1:9"],
  ["key-value", ["--at", "sever"], "--at: got sever, expected client or server"],
  ["alternate-paths", ["--order", "retry"], "--order: got retry, expected retry,route or route,retry"],
])(
  "%s says in one sentence what is wrong: %s",
  async (name, options, said) => {
    const failed = await example(name, ...options).catch((error: { code: number; stderr: string }) => error);
    expect(failed).toMatchObject({ code: 2, stderr: `error: ${said}\n` });
  },
  30_000,
);

it.each(["client", "server"])(
  "keys are written and read with sharding at the %s",
  async (at) => {
    const out = await example("key-value", "--at", at, "--keys", "60");
    expect(out).toContain(`sharding at the ${at}: 60 keys written and read`);
    expect(out.match(/keys by shard: (.*)/)![1]!.split(", ")).toHaveLength(6);
  },
  60_000,
);

it("a request takes the other way where the first is gone", async () => {
  const out = await example("alternate-paths", "--requests", "2");
  expect(out).toContain("retry above route: 2 of 2 answered");
}, 60_000);
