/** The short form of `npm run chaos:ccp`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PACES } from "../../envs/foreign-agent/pace.ts";
import { ourAgent, rustAgent } from "../envs/foreign-agent/agent-child.ts";
import { mishaps } from "./mishaps.ts";
import { restartAgents } from "./restarts.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-chaos-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an agent that is killed and restarted five times under load", () => {
  it.for(PACES)("gets every flow back within a second, and no flow stops (%s)", async (pace) => {
    const agent = ourAgent(join(folder, pace));
    const outcome = await restartAgents({ agent, pace, restarts: 5, limitSec: 60 });
    expect(outcome.problems).toEqual([]);
    expect(outcome.restarts).toBe(5);
    expect(outcome.fallbacks, "the longer outages").toBeGreaterThan(0);
    expect(outcome.worstReturnMs).toBeLessThanOrEqual(1000);
  });

  it.for(PACES)("gets them back if it is the Portus one, too (%s)", async (pace, { skip }) => {
    const agent = rustAgent(join(folder, `rust-${pace}`));
    if (agent === undefined) return skip("test/setup/build-interop.sh builds the Portus agent");
    const outcome = await restartAgents({ agent, pace, restarts: 5, limitSec: 60 });
    expect(outcome.problems).toEqual([]);
    expect(outcome.restarts).toBe(5);
  });
});

describe("there is one clear message for", () => {
  it.for(mishaps().map((mishap) => [mishap.name, mishap] as const))("%s", async ([, mishap]) => {
    expect(await mishap.run(folder)).toMatch(/^[^\n]{20,200}$/);
  });
});
