/** The programs of docs/transport.md as they stand there: they do what it says, and their processes end. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";

const GUIDE: string = readFileSync("docs/transport.md", "utf8");
const TRANSPORT: string = pathToFileURL(resolve("transport/index.ts")).href;

const folder = mkdtempSync(join(tmpdir(), "ccpark-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The program whose first line is its name. */
function programOf(name: string): string {
  return new RegExp(`\`\`\`js\\n(// ${name}\\.mjs\\n[\\s\\S]*?)\`\`\``).exec(GUIDE)![1]!;
}

function start(program: string, ...args: readonly string[]): ChildProcess {
  const file = join(mkdtempSync(join(folder, "program-")), "program.mjs");
  writeFileSync(file, program.replace('"ccpark/transport"', JSON.stringify(TRANSPORT)));
  return spawn(process.execPath, ["--import", "tsx", file, ...args]);
}

async function outcomeOf(child: ChildProcess): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  child.stdout!.on("data", (text) => (out += text));
  child.stderr!.on("data", (text) => (err += text));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

it("the guide of ten minutes says hello and ends", async () => {
  expect(await outcomeOf(start(programOf("hello")))).toEqual({ code: 0, out: "hello\n", err: "" });
}, 30_000);

it("where its port is in use it says so and ends", async () => {
  const other = createSocket("udp4").bind(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address();
  try {
    expect(await outcomeOf(start(programOf("hello").replaceAll("7000", `${port}`)))).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(new RegExp(`^EADDRINUSE .*${port}.*\n$`)),
    });
  } finally {
    other.close();
  }
}, 30_000);

it("where nobody listens it says so and ends", async () => {
  const alone = programOf("hello")
    .split("\n")
    .filter((line) => !/\blistener\b/.test(line));
  expect(await outcomeOf(start(alone.join("\n").replaceAll("7000", "9")))).toEqual({
    code: 0,
    out: "",
    err: "ECONNREFUSED [transport] nobody listens on 127.0.0.1:9\n",
  });
}, 30_000);

it("several ends meet by a store: one hears what the other says, and that it has left", async () => {
  const store = start(programOf("store"));
  const listening = start(programOf("end"));
  try {
    let heard = "";
    listening.stdout!.on("data", (text) => (heard += text));
    const said = await outcomeOf(start(programOf("end"), "to all"));
    expect(said).toEqual({ code: 0, out: "", err: "" });
    await expect.poll(() => heard, { timeout: 20_000 }).toMatch(/^(127\.0\.0\.1:\d+) to all\n\1 has left\n$/);
  } finally {
    store.kill("SIGTERM");
    listening.kill("SIGTERM");
  }
}, 60_000);
