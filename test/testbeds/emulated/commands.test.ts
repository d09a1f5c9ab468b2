import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWithLinks } from "../host/with-links.ts";

const CLI = ["--import", "tsx", "cli/main.ts"];

function ccpark(...args: string[]) {
  return spawnSync("node", [...CLI, ...args], { encoding: "utf8" });
}

it("ccpark doctor says of each testbed and what it stands on whether it is there, and if not why and what helps", () => {
  const { stdout, status } = ccpark("doctor", "--json");
  expect(status).toBe(0);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const name of ["simulated", "udp"]) {
    expect(rows).toContainEqual({ part: "testbed", name, ok: true, why: null, note: null });
  }
  expect(rows.map(({ part }) => part)).toEqual(
    expect.arrayContaining(["real links", "linux", "mahimahi", "python"]),
  );
  for (const { ok, why } of rows) expect(why === null).toBe(ok);
});

describeWithLinks("ccpark link", () => {
  it("runs a command behind the link, which finds the other end, and ends with its exit code and a summary", () => {
    const { status, stdout, stderr } = ccpark(
      "link",
      "--scenario",
      "park-paper",
      "--serve",
      "exec sleep 60",
      "--",
      "sh",
      "-c",
      "echo $CCPARK_ADDRESS $CCPARK_PEER; exit 7",
    );
    expect(status).toBe(7);
    expect(stdout).toBe("100.64.0.1 100.64.0.2\n");
    expect(stderr).toMatch(/^park-paper, \d+\.\d s, \d+ packets: \d+ lost, \d+ marked\n {2}uplink/);
  });

  it("refuses a log that is no file before anything runs, and says which one could not be written", () => {
    for (const option of ["--pcap", "--uplink-log", "--downlink-log", "--packet-log"]) {
      const { status, stdout, stderr } = ccpark("link", option, "/dev/full", "--", "echo", "ran");
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("cannot write file `/dev/full`: it is a device, expected a file");
    }
    const folder = mkdtempSync(join(tmpdir(), "ccpark-small-"));
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=8k", "none", folder]);
    try {
      const file = join(folder, "log.csv");
      const script = "for i in $(seq 600); do echo x > /dev/udp/100.64.0.2/9; done; echo ran";
      const { status, stdout, stderr } = ccpark("link", "--packet-log", file, "--", "bash", "-c", script);
      expect([status, stdout]).toEqual([1, "ran\n"]);
      expect(stderr).toContain(`cannot write file \`${file}\`: no space left on the device`);
    } finally {
      spawnSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    }
  });

  it("says that a command is not there, and leaves Ctrl-C to the command", async () => {
    const missing = ccpark("link", "--quiet", "--", "no-such-command");
    expect(missing.status).toBe(127);
    expect(missing.stderr).toContain("no-such-command: not found");
    const inside = ccpark("link", "--quiet", "--", "sh", "-c", "exit 127");
    expect([inside.status, inside.stderr]).toEqual([127, ""]);
    const child = spawn(
      "node",
      [
        ...CLI,
        "link",
        "--quiet",
        "--",
        "sh",
        "-c",
        "trap 'exit 5' INT; echo ready; while :; do sleep 0.1; done",
      ],
      { detached: true, stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    // as a terminal does: to all of the foreground
    process.kill(-child.pid!, "SIGINT");
    expect(await ended).toBe(5);
  });

  /** A shell that has children, and one that leaves its group and session. */
  const SERVED = "echo served; sleep 7654321 & setsid sleep 7654322 & sleep 7654323; true";
  const sleepers = (): number =>
    spawnSync("pgrep", ["-f", "^sleep 765432[123]$"], { encoding: "utf8" }).stdout.split("\n").length - 1;

  it("ends with all that its commands have started, so that who reads its output finds the end of it", () => {
    const startMs = performance.now();
    // what outlives it would hold the pipe that this waits for
    const { status } = ccpark("link", "--quiet", "--serve", SERVED, "--", "sh", "-c", "sleep 0.3; exit 3");
    expect(status).toBe(3);
    expect(performance.now() - startMs).toBeLessThan(60_000);
    expect(sleepers()).toBe(0);
  });

  it("leaves no process when it is killed itself", async () => {
    const child = spawn("node", [...CLI, "link", "--quiet", "--serve", SERVED, "--", "sleep", "7654321"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    while (sleepers() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const byMs = performance.now() + 10_000;
    while (sleepers() > 0 && performance.now() < byMs)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sleepers()).toBe(0);
  });
});
