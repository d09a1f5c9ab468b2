/** DeepMind's client and compliance suite against the running server; needs python3 and, once, PyPI. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost() });
});
afterAll(() => server.close());

async function installed(): Promise<string | { readonly missing: string }> {
  try {
    const { stdout } = await run("bash", [join(root, "test/setup/dm-env-rpc-venv.sh")], { timeout: 240_000 });
    return stdout.trim();
  } catch (error) {
    return { missing: `dm_env_rpc cannot be installed: ${String((error as Error).message).slice(0, 300)}` };
  }
}

it("passes the compliance suite of dm_env_rpc, and DeepMind's adaptor plays an episode", {
  timeout: 400_000,
}, async (context) => {
  const python = await installed();
  if (typeof python !== "string") {
    if (process.env["CI"] === "true") throw new Error(python.missing);
    console.log(`skipped: ${python.missing}`);
    context.skip(python.missing);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "ccpark-dm-env-rpc-"));
  try {
    const image = join(folder, "dm_env_rpc.binpb");
    const buf = join(root, "node_modules/@bufbuild/buf/bin/buf");
    await run(process.execPath, [buf, "build", "--path", "proto/dm_env_rpc", "-o", image], { cwd: root });
    const suite = [join(root, "test/dm-env-rpc/compliance.py"), `127.0.0.1:${server.port}`, image];
    const { stderr } = await run(python, suite, { timeout: 120_000, maxBuffer: 1e7 }).catch((error) => error);
    expect(stderr).toMatch(/Ran 72 tests[^\n]*\n\nOK\n/);
    expect(server.sessionCount()).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
