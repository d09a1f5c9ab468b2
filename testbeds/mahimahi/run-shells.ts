/** Runs a command inside Mahimahi's shells and reads their logs. */
import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { planLink } from "../emulated/link-plan.ts";
import { crossTrafficRefusal, findOpportunities, planShells, shellsRefuse } from "./command-line.ts";
import { type LinkLog, parseLinkLog } from "./log.ts";
import { callerOfSudo, isRoot, type ShellUser, whyNoMahimahi } from "./tools.ts";

export interface ShellsResult {
  readonly exitCode: number;
  readonly uplink: LinkLog;
  readonly downlink: LinkLog;
}

/** The command is the caller's own, so it runs as the caller. */
function userOfShells(): Partial<ShellUser> {
  if (!isRoot()) return {};
  const caller = callerOfSudo();
  if (caller !== undefined) return caller;
  throw new CcparkError("failed-precondition", "[mahimahi] its shells refuse root: run it as another user");
}

/** Writes the files of a folder for the user of the shells. */
export function writeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  user: Partial<ShellUser>,
): void {
  for (const [file, text] of Object.entries(files)) writeFileSync(file, text);
  const { uid, gid } = user;
  if (uid === undefined || gid === undefined) return;
  for (const path of [folder, ...Object.keys(files)]) chownSync(path, uid, gid);
}

/**
 * @param onCommand told the exact command line before it runs
 * @throws CcparkError (failed-precondition) with the reason why they cannot
 */
export async function runShells(
  scenario: Scenario,
  seed: number,
  command: readonly string[],
  onCommand: (words: readonly string[]) => void,
): Promise<ShellsResult> {
  const why = whyNoMahimahi() ?? shellsRefuse(scenario) ?? crossTrafficRefusal(scenario);
  if (why !== undefined) {
    throw new CcparkError("failed-precondition", `[mahimahi] ${scenario.name}: ${why}`);
  }
  const user = userOfShells();
  const folder = mkdtempSync(join(tmpdir(), "ccpark-mahimahi-"));
  try {
    const link = planLink(scenario, seed, "simulated");
    const opportunities = findOpportunities(link, link.startNs, scenario.durationSec * 1000);
    const { words, files, uplinkLog, downlinkLog } = planShells(scenario, opportunities, folder);
    writeFiles(folder, files, user);
    const [program, ...args] = [...words, ...command];
    onCommand([program!, ...args]);
    const child = spawn(program!, args, { stdio: "inherit", ...user });
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
    if (!existsSync(uplinkLog)) {
      const message = `[mahimahi] ${words[0]} ended with ${exitCode} before mm-link began: what it said is above`;
      throw new CcparkError("failed-precondition", message);
    }
    const read = (file: string): LinkLog => parseLinkLog(readFileSync(file, "utf8"), file);
    return { exitCode, uplink: read(uplinkLog), downlink: read(downlinkLog) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
