/** `ccpark link`: any command behind an emulated link; `ccpark links clean`: what killed processes left of theirs. */
import { type Command, Option } from "commander";
import { NANOS_PER_SEC, toMbps } from "../../core/units.ts";
import type { EmulatedLink } from "../../testbeds/emulated/open-link.ts";
import { printErr, printOut } from "../console.ts";
import { oneScenario } from "../one-scenario.ts";
import { collect, MAX_SEED, parseWhole, quoteForShell, SET_HELP } from "../options.ts";

interface LinkCommandOptions {
  readonly scenario: string;
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly seed: number;
  readonly through: "emulated" | "mahimahi";
  readonly serve?: string;
  readonly pcap?: string;
  readonly uplinkLog?: string;
  readonly downlinkLog?: string;
  readonly packetLog?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** Set where this process was started again inside a user namespace of its own. */
const INSIDE = "CCPARK_USER_NAMESPACE";
const NAMESPACES = ["--user", "--map-root-user", "--net", "--mount"];

async function link(command: readonly string[], options: LinkCommandOptions): Promise<void> {
  if (options.through === "mahimahi") {
    await throughMahimahi(command, options);
    return;
  }
  const { whyNoNamespaces } = await import("../../testbeds/host/abilities.ts");
  if (whyNoNamespaces() !== undefined && process.env[INSIDE] === undefined) {
    const code = await againInUserNamespace();
    if (code !== undefined) {
      process.exitCode = code;
      return;
    }
  }
  if (process.env[INSIDE] !== undefined) await endWithParent();
  const { openLink } = await import("../../testbeds/emulated/open-link.ts");
  const { runCommand } = await import("../../testbeds/emulated/run-command.ts");
  const scenario = await oneScenario(options);
  const opened = await openLink(scenario, options.seed, {
    pcap: options.pcap,
    forwardLog: options.uplinkLog,
    reverseLog: options.downlinkLog,
    packetLog: options.packetLog,
  });
  try {
    const end = await runCommand(opened, { command, serve: options.serve, env: process.env });
    process.exitCode = end.exitCode;
    if (end.failure !== undefined) printErr(`ccpark link: ${command[0]}: ${end.failure}\n`);
  } finally {
    const summary = summaryOf(opened);
    await opened.close();
    if (options.json === true) printOut(`${JSON.stringify({ ...summary, timing: opened.timing })}\n`);
    else if (options.quiet !== true) printSummary(scenario.name, summary, opened);
  }
  opened.expectWhole();
}

async function throughMahimahi(command: readonly string[], options: LinkCommandOptions): Promise<void> {
  const { runShells } = await import("../../testbeds/mahimahi/run-shells.ts");
  const scenario = await oneScenario(options);
  const result = await runShells(scenario, options.seed, command, (words) => {
    if (options.quiet !== true) printErr(`${words.map(quoteForShell).join(" ")}\n`);
  });
  process.exitCode = result.exitCode;
  if (options.json === true) printOut(`${JSON.stringify(result)}\n`);
  else if (options.quiet !== true) {
    for (const side of ["uplink", "downlink"] as const) {
      const { throughputMbps, meanDelayMs, p95DelayMs, droppedPackets } = result[side];
      printErr(
        `  ${side.padEnd(9)} ${throughputMbps.toFixed(2)} Mbit/s, ${meanDelayMs.toFixed(1)} ms in the link on average, ${p95DelayMs} ms in one of twenty; ${droppedPackets} dropped\n`,
      );
    }
  }
}

interface WaySummary {
  readonly servedBytes: number;
  readonly mbps: number;
  /** null: the link has no limit */
  readonly utilisation: number | null;
  readonly droppedPackets: number;
  readonly maxQueuedPackets: number;
}

interface LinkSummary {
  /** since the first packet */
  readonly durationSec: number;
  readonly uplink: WaySummary;
  readonly downlink: WaySummary;
  readonly carriedPackets: number;
  readonly lostPackets: number;
  readonly markedPackets: number;
}

function summaryOf({ truth, nowNs, startNs, counts }: EmulatedLink): LinkSummary {
  const durationSec = Math.max(0, nowNs - startNs) / NANOS_PER_SEC;
  const way = (meter: EmulatedLink["truth"]["forward"]): WaySummary => {
    const servedBytes = meter.servedBytes(nowNs);
    const couldServeBytes = durationSec === 0 ? Number.NaN : meter.capacityBytes(startNs, nowNs);
    return {
      servedBytes,
      mbps: durationSec === 0 ? 0 : toMbps(servedBytes / durationSec),
      utilisation: Number.isFinite(couldServeBytes) ? servedBytes / couldServeBytes : null,
      droppedPackets: meter.droppedPackets,
      maxQueuedPackets: meter.maxQueuedPackets,
    };
  };
  return { durationSec, uplink: way(truth.forward), downlink: way(truth.reverse), ...counts };
}

function printSummary(name: string, summary: LinkSummary, { timing }: EmulatedLink): void {
  const way = (title: string, of: WaySummary): string => {
    const used = of.utilisation === null ? "" : `, ${(100 * of.utilisation).toFixed(1)} % of the link`;
    return `  ${title.padEnd(9)} ${of.mbps.toFixed(2)} Mbit/s${used}; ${of.droppedPackets} dropped by the queue, which held up to ${of.maxQueuedPackets}\n`;
  };
  const { medianUs, p99Us, maxUs } = timing.packetLatenessUs;
  printErr(
    `${name}, ${summary.durationSec.toFixed(1)} s, ${summary.carriedPackets} packets: ${summary.lostPackets} lost, ${summary.markedPackets} marked\n` +
      `${way("uplink", summary.uplink)}${way("downlink", summary.downlink)}` +
      `  packets left ${medianUs} us late in the median, ${p99Us} us in one of a hundred, ${Math.round(maxUs)} us at most\n`,
  );
}

/**
 * This command line once more, as root of a user namespace.
 * @returns its exit code; undefined: the system does not allow it
 */
async function againInUserNamespace(): Promise<number | undefined> {
  const { spawn, spawnSync } = await import("node:child_process");
  if (spawnSync("unshare", [...NAMESPACES, "true"]).status !== 0) return undefined;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn("unshare", [...NAMESPACES, "--", ...again], {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1" },
  });
  // the command inside answers Ctrl-C
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Inside the user namespace: when the process that it was started by is killed, so is this one. */
async function endWithParent(): Promise<void> {
  const { constants } = await import("node:os");
  const { PR_SET_PDEATHSIG } = await import("../../testbeds/host/constants.ts");
  const { loadLibc } = await import("../../testbeds/host/libc.ts");
  (await loadLibc()).prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL);
}

async function clean(): Promise<void> {
  const { loadLibc } = await import("../../testbeds/host/libc.ts");
  const { removeAbandoned } = await import("../../testbeds/host/namespaces.ts");
  const removed = removeAbandoned(await loadLibc());
  for (const name of removed) printOut(`removed ${name}\n`);
  if (removed.length === 0) printOut("nothing to remove: no link of a process that has ended is left\n");
}

export function addLink(program: Command): void {
  program
    .command("link")
    .description("run a command behind an emulated link: real packets over the links of a scenario (Linux)")
    .addOption(
      new Option("--scenario <name>", "preset or file (see `ccpark explain scenarios`)").default(
        "park-paper",
      ),
    )
    .option("--set <path=value>", SET_HELP, collect)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one (ccp-cell)")
    .addOption(
      new Option("--seed <n>", "draws what the scenario leaves to chance")
        .argParser(parseWhole(0, MAX_SEED))
        .default(1),
    )
    .addOption(
      new Option("--through <world>", "whose link: ours, or Mahimahi's shells where they are installed")
        .choices(["emulated", "mahimahi"])
        .default("emulated"),
    )
    .option("--serve <command>", "for `sh -c` at the link's other end; ends with the command")
    .option("--pcap <file>", "capture what the command sends and receives")
    .option("--uplink-log <file>", "what became of each packet of the command's, as mm-link logs it")
    .option("--downlink-log <file>", "the same of those to the command")
    .option("--packet-log <file>", "every packet of both ways as CSV, to the nanosecond")
    .option("--json", "the summary as one JSON line on stdout")
    .option("--quiet", "no summary")
    .argument("<command...>", "program and arguments, behind `--`")
    .addHelpText(
      "after",
      `
The command finds the other end's address in CCPARK_PEER and its own in CCPARK_ADDRESS; what it sends takes the scenario's
forward links. The exit code is the command's.

  ccpark link --scenario park-paper --serve 'iperf3 -s' -- sh -c 'sleep 0.5; iperf3 -c $CCPARK_PEER -t 5'
  ccpark link --scenario ccp-cell --trace lte-driving -- sh -c 'ping -c 5 $CCPARK_PEER'`,
    )
    .action(link);
  program
    .command("links")
    .description("emulated links of this machine")
    .command("clean")
    .description("remove the namespaces of links whose process was killed")
    .action(clean);
}
