import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const FASTER = ["--set", "forward.rate.mbps=10000"];
const NOTE = /^note: park-paper: ACKs of 10000 Mbit\/s need 173 Mbit\/s, but `reverse\.rate` has 48: /m;

describe("a link that was made faster and kept its slow ACKs", () => {
  it.each([
    ["bench", ["bench", "--algorithms", "reno", "--seeds", "1", "--duration", "0.1"]],
    [
      "compare",
      ["compare", "--on", "simulated,udp", "--algorithms", "reno", "--seeds", "1", "--duration", "0.1"],
    ],
    ["sim", ["sim", "--agent", "reno", "--duration", "0.1"]],
    ["train", ["train", "--steps", "1000", "--episode", "0.1", "--out"]],
  ])("is told by `%s`, once", { timeout: 60_000 }, async (command, args) => {
    const out = command === "train" ? [join(makeFolder(), "run")] : [];
    const { stderr } = await runCli([...args, ...out, "--scenario", "park-paper", ...FASTER]);
    expect(stderr).toMatch(NOTE);
    expect(stderr.match(/ACK direction/g)).toHaveLength(1);
  });

  it("is told of a file too, not of presets as they are, and not to who wants no messages", {
    timeout: 60_000,
  }, async () => {
    const file = join(makeFolder(), "mine.yaml");
    writeFileSync(file, "extends: park-paper\nforward: { rate: { mbps: 10000 } }\n");
    const rest = ["--algorithms", "reno", "--seeds", "1", "--duration", "0.1"];
    expect((await runCli(["bench", "--scenario", file, ...rest])).stderr).toContain(
      "the ACK direction is the bottleneck",
    );
    expect((await runCli(["bench", "--scenario", "park-paper", ...rest])).stderr).not.toContain("note:");
    expect((await runCli(["bench", "--scenario", file, "--quiet", ...rest])).stderr).toBe("");
  });
});
