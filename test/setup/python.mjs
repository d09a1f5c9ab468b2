// Virtual environments for the Python tests and the examples, kept between runs in the user's cache folder, keyed by
// what is in them; and pytest in them, counted. The package itself is built and installed anew in every run.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ccpark");
const ENV = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: "1", PYTHONUNBUFFERED: "1" };

/** By name: what pip is given. `first` is tried before; where it cannot be had the rest brings what it needs. */
export const VENVS = {
  core: { pip: ["./python[dev]"] },
  torch: {
    // without CUDA, where an index or a folder (PIP_FIND_LINKS) has it: a tenth of the size
    first: ["torch==2.13.0+cpu"],
    pip: ["./python[dev]", "-r", "test/setup/python-torch.txt"],
  },
};

/** Says why something is not run; a missing tool is no failure for a user, but one in CI. */
export class Missing extends Error {}

function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function pip(python, args) {
  return spawnSync(python, ["-m", "pip", "install", "--quiet", ...args], {
    cwd: root,
    env: ENV,
    stdio: "inherit",
  });
}

/** The folder of a virtual environment with the package in it, made if need be. */
export function pythonVenv(name, { first, pip: wanted } = VENVS[name]) {
  const python = process.env.CCPARK_TEST_PYTHON || "python3";
  const version = output(python, [
    "-c",
    "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])",
  ]);
  const [major, minor] = (version ?? "0.0").split(".").map(Number);
  if (major < 3 || (major === 3 && minor < 10)) {
    throw new Missing(`${python} with venv, 3.10 or newer, is needed: found ${version ?? "none"}`);
  }
  const hash = createHash("sha256").update(JSON.stringify([version, first, wanted]));
  for (const file of wanted.filter((word) => word.endsWith(".txt")))
    hash.update(readFileSync(join(root, file)));
  const project = readFileSync(join(root, "python/pyproject.toml"), "utf8");
  for (const [list] of project.matchAll(/^(dependencies|dev) = \[[\s\S]*?^\]/gm)) hash.update(list);
  const folder = join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
  const inside = join(folder, "bin", "python");
  const ready = join(folder, "ready");
  if (!existsSync(ready)) {
    console.log(`== making ${folder} for the Python tests (once)`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const made =
      spawnSync(python, ["-m", "venv", folder], { stdio: "inherit" }).status === 0 &&
      (first === undefined || pip(inside, first) !== undefined) &&
      pip(inside, wanted).status === 0;
    if (!made) throw new Missing(`pip could not install ${wanted.join(" ")} (is there a network?)`);
    writeFileSync(ready, "");
  }
  // the wheel of this very commit, built without fetching its build tools again
  const fresh = pip(inside, ["--no-deps", "--no-build-isolation", "--force-reinstall", "./python"]);
  if (fresh.status !== 0) throw new Error("pip install ./python failed");
  return folder;
}

/** Runs pytest; counts tests as its JUnit report has them. `ok` is false without a report, too. */
export function runPytest(venv, args, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-pytest-"));
  const report = join(folder, "report.xml");
  // the program, not `python -m pytest`: that would put the clone before the installed package
  const { status } = spawnSync(
    join(venv, "bin", "pytest"),
    ["-q", "-p", "no:cacheprovider", "-c", "python/pyproject.toml", `--junitxml=${report}`, ...args],
    { cwd: root, env: { ...ENV, PYTHONDONTWRITEBYTECODE: "1", ...env }, stdio: "inherit" },
  );
  const totals = { passed: 0, failed: 0, skipped: 0, ok: status === 0 };
  if (existsSync(report)) {
    const head = readFileSync(report, "utf8").match(/<testsuite [^>]*>/)?.[0] ?? "";
    const count = (key) => Number(head.match(new RegExp(` ${key}="(\\d+)"`))?.[1] ?? 0);
    totals.failed = count("failures") + count("errors");
    totals.skipped = count("skipped");
    totals.passed = count("tests") - totals.failed - totals.skipped;
  }
  rmSync(folder, { recursive: true, force: true });
  if (!totals.ok && totals.failed === 0) totals.failed = 1;
  return totals;
}
