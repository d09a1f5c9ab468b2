/** `ccpark flows` against a `ccpark serve` of another process, as users have both. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectVectorEnv, type RemoteVectorEnv } from "../../../envs/grpc/client.ts";
import { FlowHandle } from "../../../flows/handle.ts";
import { outcomeOf, runCli, startCli } from "../run-cli.ts";

const server = startCli(["serve", "--port", "0", "--json", "--workers", "0"]);
let port = 0;
let env: RemoteVectorEnv;

beforeAll(async () => {
  const [line] = (await once(createInterface({ input: server.stdout! }), "line")) as [string];
  ({ port } = JSON.parse(line) as { readonly port: number });
  env = await connectVectorEnv({
    address: `127.0.0.1:${port}`,
    numEnvs: 2,
    scenario: "park-paper",
    kwargs: { durationSec: 100 },
  });
  await env.reset(1);
}, 60_000);

afterAll(async () => {
  await env?.close();
  server.kill("SIGTERM");
  await once(server, "exit");
});

const step = (): Promise<void> => env.step(new Float32Array(2 * env.actionSpace.shape[0]));

/** The flows that there are, by `ccpark flows list --json`. */
async function list(...args: readonly string[]): Promise<readonly { handle: string; name: string }[]> {
  const { code, stdout, stderr } = await runCli(["flows", "list", "--port", `${port}`, "--json", ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { handle: string; name: string });
}

it("lists flows as a table and as JSON Lines, by wildcards and scopes", { timeout: 120_000 }, async () => {
  const all = await list();
  expect(all).toHaveLength(2);
  expect(all).toMatchObject([{ envId: "ccpark/CongestionControl-v0", observers: 0 }, {}]);
  for (const { handle } of all) FlowHandle.parse(handle);
  expect(await list("*/1/flow-0")).toEqual([all[1]]);
  expect(await list("--scope", "bottleneck", "--of", all[0]!.handle)).toEqual([all[0]]);
  const table = await runCli(["flows", "list", "--address", `127.0.0.1:${port}`]);
  expect(table.code).toBe(0);
  expect(table.stdout.split("\n")).toHaveLength(4);
  for (const { handle, name } of all) expect(table.stdout).toContain(`${handle}  ${name}`);
});

it("watches a flow that runs and kills it", { timeout: 120_000 }, async () => {
  const [flow] = await list("*/0/flow-0");
  const watching = startCli([
    ...["flows", "watch", flow!.handle, "--port", `${port}`, "--json"],
    ...["--band", "measurement,membership"],
  ]);
  const watched = outcomeOf(watching);
  await expect
    .poll(async () => (await list(flow!.handle))[0], { timeout: 60_000, interval: 500 })
    .toMatchObject({ observers: 1 });
  for (let i = 0; i < 50; i++) await step();
  const killed = await runCli(["flows", "kill", "*/0/flow-0", "--port", `${port}`]);
  expect([killed.code, killed.stdout]).toEqual([0, `killed ${flow!.handle}  ${flow!.name}\n`]);
  const { code, stdout } = await watched;
  expect(code).toBe(0);
  const reports = stdout
    .trim()
    .split("\n")
    .map(
      (line) => JSON.parse(line) as { readonly band: string; readonly flow: string; readonly body: object },
    );
  expect(reports).toHaveLength(52);
  expect(reports[0]).toMatchObject({ band: "membership", flow: flow!.handle, body: { event: "joined" } });
  expect(reports.at(-1)).toMatchObject({ band: "membership", body: { event: "left" } });
  expect(reports.slice(1, -1).every(({ band }) => band === "measurement")).toBe(true);
  expect(await list("*/0/flow-0")).toEqual([]);
  await step();
  expect(env.truncated[0]).toBe(1);
});

it("moves a flow to other links while it runs", { timeout: 120_000 }, async () => {
  const mobile = await connectVectorEnv({
    address: `127.0.0.1:${port}`,
    numEnvs: 1,
    scenario: "flows-mobility",
    kwargs: { durationSec: 15, stepMs: 100 },
    infoKeys: ["rttUs"],
  });
  try {
    await mobile.reset(1);
    const still = new Float32Array(mobile.actionSpace.shape[0]);
    for (let i = 0; i < 50; i++) await mobile.step(still);
    const rttUs = (): number => Number(mobile.infos.get("rttUs")!.values[0]);
    const homeUs = rttUs();
    const { handle } = (await list()).at(-1)!;
    const move = ["flows", "move", handle, "--port", `${port}`];
    const wrong = await runCli([...move, "--forward", "nowhere"]);
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain('forward: got "nowhere", expected one of forward, reverse, away');
    const moved = await runCli([...move, "--forward", "away", "--reverse", "away-back", "--json"]);
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(moved.stdout)).toEqual({ moved: handle, forward: "away", reverse: "away-back" });
    for (let i = 0; i < 50; i++) await mobile.step(still);
    expect(homeUs).toBeLessThan(100_000);
    expect(rttUs()).toBeGreaterThan(140_000);
    expect((await list()).at(-1)!.handle).toBe(handle);
  } finally {
    await mobile.close();
  }
});

it("says in one sentence what is wrong, with exit code 2, or 1 where nobody serves", {
  timeout: 120_000,
}, async () => {
  const fails = async (args: readonly string[], code: number, sentence: string): Promise<void> => {
    const outcome = await runCli(["flows", ...args]);
    expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
    expect(outcome.stderr).toContain(sentence);
    expect(outcome.stderr).not.toContain("    at ");
  };
  const at = ["--port", `${port}`];
  await fails(["watch", "flow-0", ...at], 2, '[flows] handle: got "flow-0", expected CREATOR.REGISTRY.LOCAL');
  const names = (await list()).map(({ name }) => name);
  await fails(
    ["kill", "nobody*", ...at],
    2,
    `[flows] no flow matches \`nobody*\`; there are: ${names.join(", ")}\n`,
  );
  const listed = await runCli(["flows", "list", "nobody*", ...at]);
  expect([listed.code, listed.stdout]).toEqual([0, ""]);
  expect(listed.stderr).toBe(`no flow matches \`nobody*\`; there are: ${names.join(", ")}\n`);
  await fails(["list", "--scope", "hots", ...at], 2, "--scope");
  await fails(["watch", "x", "--band", "fualt", ...at], 2, "did you mean `fault`?");
  await fails(["list", "--address", "127.0.0.1:1", ...at], 2, "got both --address and --port");
  await fails(["list", "--port", "1"], 1, "127.0.0.1:1");
});
