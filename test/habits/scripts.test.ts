/** Scripts of developers are asked as the command line is: a wrong option is one sentence and an exit code, `--help` begins nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
const ASKED: readonly (readonly [name: string, file: string])[] = Object.entries(scripts)
  .filter(([name]) => /^(bench|fuzz|chaos|soak):/.test(name))
  .map(([name, command]) => [name, /(?:dist\/)?(\S+)\.[jt]s$/.exec(command)![1]!.concat(".ts")]);

async function run(file: string, option: string): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", file, option], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

describe("scripts", () => {
  it("there are some", () => {
    expect(ASKED.length).toBeGreaterThan(10);
  });

  it.each(ASKED)(
    "%s refuses an option that it does not know in one sentence",
    async (name, file) => {
      const { code, out, err } = await run(file, "--nope");
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toMatch(
        new RegExp(`^error: \\[options\\] unknown option of ${name} \`--nope\`; .*--help\\n$`),
      );
    },
    60_000,
  );

  it.each(ASKED.filter(([name]) => /transport|grpc/.test(name)))(
    "%s tells its options and ends",
    async (name, file) => {
      const { code, out, err } = await run(file, "--help");
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out.split("\n")[0]).toBe(`npm run ${name} -- [options]`);
    },
    60_000,
  );
});
