// `npm test`: every check of this repository, one after the other, and at the end one line `N passed, N failed`.
// A check that is not a vitest test counts as one. `npm test -- PATTERN...` runs only the matching test files.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Missing, pythonVenv, runPytest } from "./setup/python.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => join(root, "node_modules", ".bin", name);
const totals = { passed: 0, failed: 0, skipped: 0 };

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: "inherit", ...options }).status === 0;
}

/** A check outside vitest: counts as one. */
function check(name, command, args) {
  console.log(`\n== ${name}`);
  const ok = run(command, args);
  totals[ok ? "passed" : "failed"] += 1;
  if (!ok) console.log(`== ${name} FAILED`);
  return ok;
}

function installChromium() {
  if (existsSync("/usr/bin/chromium") || process.platform !== "linux") return;
  if (process.getuid?.() !== 0) {
    console.log("chromium is missing and this is not root: the tests of the HTML report will be skipped");
    return;
  }
  console.log("\n== installing chromium for the tests of the HTML report");
  run("bash", [join(root, "test/setup/install-chromium.sh")]);
}

function installNode24() {
  if (process.env.CI !== "true" || process.platform !== "linux" || process.arch !== "x64") return;
  run("bash", [join(root, "test/setup/install-node24.sh")]);
}

/** Servers that a user's machine need not have: there their tests are skipped. */
function installStores() {
  if (process.env.CI !== "true" || process.platform !== "linux") return;
  console.log("\n== Redis and etcd for the tests of stores");
  run("bash", [join(root, "test/setup/install-stores.sh")]);
}

/**
 * Tests that read a real clock: alone, since what else runs on the machine would delay their packets; and once more where
 * one fails, since a machine that stood still for a moment does so once, a fault of ours again. Vitest prints `retry x1`.
 */
const REAL_TIME = [
  "test/testbeds",
  "test/grpc/real-time.test.ts",
  "test/grpc/flows/greedy.test.ts",
  "test/grpc/server/strangers.test.ts",
  "test/cli/interrupt.test.ts",
];

function vitest(name, patterns) {
  console.log(`\n== ${name}`);
  const folder = mkdtempSync(join(tmpdir(), "ccpark-test-"));
  const file = join(folder, "report.json");
  const ok = run(bin("vitest"), [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
    ...patterns,
  ]);
  let failed = 0;
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    totals.passed += report.numPassedTests;
    totals.skipped += report.numPendingTests + report.numTodoTests;
    failed = report.numFailedTests;
    // a file that fails to load has no tests, yet it failed
    failed += report.testResults.filter(
      (suite) =>
        suite.status === "failed" && !suite.assertionResults.some((test) => test.status === "failed"),
    ).length;
  } catch (error) {
    console.log(`no report from vitest: ${error.message}`);
  }
  totals.failed += failed === 0 && !ok ? 1 : failed;
  rmSync(folder, { recursive: true, force: true });
}

/** What needs a virtual environment: without python3 or a network a user does without, CI does not. */
function withVenv(name, tests) {
  console.log(`\n== Python tests (${name})`);
  let venv;
  try {
    venv = pythonVenv(name);
  } catch (error) {
    console.log(`== Python tests (${name}) not run: ${error.message}`);
    totals[error instanceof Missing && process.env.CI !== "true" ? "skipped" : "failed"] += 1;
    return;
  }
  tests(venv);
}

function pytest(venv, args) {
  const { passed, failed, skipped } = runPytest(venv, args);
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
}

function python() {
  withVenv("core", (venv) => {
    const tool = (program) => join(venv, "bin", program);
    check("Python: lint (ruff)", tool("ruff"), ["check", "--no-cache", "python"]);
    check("Python: format (ruff)", tool("ruff"), ["format", "--no-cache", "--check", "python"]);
    check("Python: types (mypy)", "sh", ["-c", `cd python && ${tool("mypy")} --cache-dir=/dev/null`]);
    pytest(venv, ["python/tests", "--ignore=python/tests/learners"]);
  });
  if (process.env.CI !== "true" && process.env.CCPARK_TEST_TORCH !== "1") {
    console.log(
      "\n== Python tests (torch) not run: they install gigabytes; CCPARK_TEST_TORCH=1 asks for them",
    );
    return;
  }
  withVenv("torch", (venv) => {
    pytest(venv, ["python/tests/learners"]);
  });
}

const patterns = process.argv.slice(2);
installChromium();
installNode24();
installStores();
if (patterns.length === 0) {
  check("engine (asc)", "npm", ["run", "--silent", "engine"]);
  check("types (tsc)", bin("tsc"), ["--noEmit"]);
  check("types of the page (tsc)", bin("tsc"), ["-p", "eval/ui/page"]);
  check("lint and format (biome)", bin("biome"), ["check", "--error-on-warnings", "."]);
  check("layers (dependency-cruiser)", "npm", ["run", "--silent", "layers"]);
  check("sizes of rooms and folders", "npm", ["run", "--silent", "sizes"]);
  check("build (tsc)", "npm", ["run", "--silent", "build"]);
  check("interop crate (cargo)", "bash", ["test/setup/build-interop.sh"]);
}
if (patterns.length === 0) {
  vitest("tests in real time", ["--maxWorkers=1", "--retry=1", ...REAL_TIME]);
  vitest(
    "tests",
    REAL_TIME.map((path) => `--exclude=${path.endsWith(".ts") ? path : `${path}/**`}`),
  );
} else vitest("tests", patterns);
if (patterns.length === 0) python();

const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 ? 1 : 0;
