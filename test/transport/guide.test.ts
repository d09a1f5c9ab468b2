/** The guide of docs/transport.md as it stands there: it does what it says, and its process ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const GUIDE: string = /## Ten minutes[\s\S]*?```js\n([\s\S]*?)```/.exec(
  readFileSync("docs/transport.md", "utf8"),
)![1]!;

async function run(program: string): Promise<{ code: number; out: string; err: string }> {
  const here = program.replace('"ccpark/transport"', '"./transport/index.ts"');
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", here]);
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

it("the guide of ten minutes says hello and ends", async () => {
  expect(await run(GUIDE)).toEqual({ code: 0, out: "hello\n", err: "" });
}, 30_000);

it("where nobody listens it says so and ends", async () => {
  const alone = GUIDE.split("\n").filter((line) => !/\blistener\b/.test(line));
  expect(await run(alone.join("\n").replaceAll("7000", "9"))).toEqual({
    code: 0,
    out: "",
    err: "ECONNREFUSED [transport] nobody listens on 127.0.0.1:9\n",
  });
}, 30_000);
