/** What commands write to: files, through symbolic links too; never in the place of a device, a pipe or a socket. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendToFile, claimFile, claimFolder, writeFilesWhole } from "../../core/whole-files.ts";
import { makeFolders, type Outcome, runCli } from "./run-cli.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const textOf = (name: string): string => readFileSync(at(name), "utf8");
const makePipe = (path: string): void => expect(spawnSync("mkfifo", [path]).status).toBe(0);

describe("a file that is written whole", () => {
  it("keeps its mode, and leaves nothing else behind", () => {
    writeFileSync(at("a"), "old");
    chmodSync(at("a"), 0o640);
    writeFilesWhole({ [at("a")]: "new", [at("b")]: new Uint8Array([65]) });
    expect([textOf("a"), textOf("b")]).toEqual(["new", "A"]);
    expect(statSync(at("a")).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(["a", "b"]);
  });

  it("is what a symbolic link leads to, which stays a link: in another folder, over several links, to nothing yet", () => {
    mkdirSync(at("far"));
    writeFileSync(at("far/file"), "old");
    symlinkSync("far/file", at("link"));
    symlinkSync("link", at("link-to-link"));
    symlinkSync("far/new", at("dangling"));
    symlinkSync("far", at("folder-link"));
    for (const name of ["link", "link-to-link", "dangling", "folder-link/other"]) {
      claimFile(at(name));
      writeFilesWhole({ [at(name)]: name });
      expect(textOf(name)).toBe(name);
    }
    for (const name of ["link", "link-to-link", "dangling", "folder-link"]) {
      expect(lstatSync(at(name)).isSymbolicLink()).toBe(true);
    }
    expect(textOf("far/file")).toBe("link-to-link");
    expect(readdirSync(at("far")).sort()).toEqual(["file", "new", "other"]);
    appendToFile(at("link"), "!");
    expect(textOf("far/file")).toBe("link-to-link!");
  });

  it("never takes the place of a device, a pipe, a socket or a folder, also through a link, and all stay as they were", async () => {
    makePipe(at("pipe"));
    mkdirSync(at("folder"));
    symlinkSync("/dev/null", at("null"));
    symlinkSync("b", at("a"));
    symlinkSync("a", at("b"));
    const server = createServer().listen(at("socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    const refused: [string, RegExp][] = [
      ["/dev/null", /it is a device, expected a file/],
      ["/dev/full", /it is a device/],
      [at("null"), /it is a device/],
      [at("pipe"), /it is a named pipe/],
      [at("socket"), /it is a socket/],
      [at("folder"), /it is a folder/],
      [at("a"), /links that lead to each other/],
    ];
    for (const [path, message] of refused) {
      for (const write of [
        () => claimFile(path),
        () => writeFilesWhole({ [at("first")]: "x", [path]: "x" }),
        () => appendToFile(path, "x"),
      ]) {
        expect(write).toThrow(message);
        expect(write).toThrow(path);
      }
    }
    for (const path of ["/dev/null", at("pipe"), at("socket")]) expect(() => claimFolder(path)).toThrow(path);
    server.close();
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    expect(statSync(at("pipe")).isFIFO()).toBe(true);
    expect(readdirSync(folder)).not.toContain("first");
    expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  it("stays as it was where one of several cannot be written", () => {
    writeFileSync(at("a"), "old");
    const missing = join(folder, "none", "b");
    expect(() => writeFilesWhole({ [at("a")]: "new", [missing]: "x" })).toThrow(/cannot write file `.*none/);
    expect(textOf("a")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a"]);
  });
});

describe("commands that write files", { timeout: 120_000 }, () => {
  const makeFolder = makeFolders();
  const expectRefused = ({ code, stdout, stderr }: Outcome, message: RegExp): void => {
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  };
  const bench = [
    "bench",
    "--scenario",
    "park-paper",
    "--duration",
    "1",
    "--seeds",
    "1",
    "--algorithms",
    "reno",
  ];
  const generate = [
    "trace",
    "generate",
    "--model",
    "lte",
    "--mbps",
    "5",
    "--duration",
    "1",
    "--quiet",
    "--out",
  ];

  it.concurrent("refuse devices and pipes before they work, and leave them in their place", async () => {
    const cwd = makeFolder();
    makePipe(join(cwd, "pipe.svg"));
    writeFileSync(join(cwd, "rows.txt"), "0 5\n1 6\n");
    const importRows = ["trace", "import", "rows.txt", "--quiet", "--force", "--out"];
    const outcomes = await Promise.all([
      runCli([...generate, "/dev/null"], { cwd }),
      runCli([...importRows, "/dev/null"], { cwd }),
      runCli([...importRows, "pipe.svg"], { cwd }),
      runCli([...bench, "--picture", "pipe.svg"], { cwd }),
      runCli([...bench, "--out", "/dev/null"], { cwd }),
      runCli(["train", "--out", "/dev/null"], { cwd }),
      runCli(["serve", "--generate-token", "/dev/null"], { cwd }),
    ]);
    for (const outcome of outcomes) expectRefused(outcome, /\/dev\/null|pipe\.svg/);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    expect(statSync(join(cwd, "pipe.svg")).isFIFO()).toBe(true);
  });

  it.concurrent("write what symbolic links lead to", async () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, "far"));
    mkdirSync(join(cwd, "results"));
    symlinkSync("far/trace", join(cwd, "trace"));
    symlinkSync("far/p.svg", join(cwd, "p.svg"));
    symlinkSync("../far/report.html", join(cwd, "results/report.html"));
    const outcomes = await Promise.all([
      runCli([...generate, "trace"], { cwd }),
      runCli([...bench, "--picture", "p.svg", "--out", "results", "--quiet"], { cwd }),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    for (const name of ["trace", "p.svg", "results/report.html"]) {
      expect(lstatSync(join(cwd, name)).isSymbolicLink()).toBe(true);
    }
    expect(readFileSync(join(cwd, "far/p.svg"), "utf8")).toMatch(/^<svg/);
    expect(readdirSync(join(cwd, "far")).sort()).toEqual(["p.svg", "report.html", "trace"]);
  });
});
