/** Runs a command inside Mahimahi's shells and reads their logs. */
import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { planShells, shellsRefuse } from "./command-line.ts";
import { type LinkLog, parseLinkLog } from "./log.ts";
import { whyNoMahimahi } from "./tools.ts";

export interface ShellsResult {
  readonly exitCode: number;
  readonly uplink: LinkLog;
  readonly downlink: LinkLog;
}

/** Whom the shells run as: they refuse root, so behind sudo it is who called it. */
function userOfShells(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = [process.env["SUDO_UID"], process.env["SUDO_GID"]].map(Number);
  if (uid !== undefined && gid !== undefined && uid > 0) return { uid, gid };
  throw new CcparkError("failed-precondition", "[mahimahi] its shells refuse root: run it as another user");
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
  const why = whyNoMahimahi() ?? shellsRefuse(scenario);
  if (why !== undefined) {
    throw new CcparkError("failed-precondition", `[mahimahi] ${scenario.name}: ${why}`);
  }
  const user = userOfShells();
  const folder = mkdtempSync(join(tmpdir(), "ccpark-mahimahi-"));
  try {
    const { words, files, uplinkLog, downlinkLog } = planShells(scenario, seed, folder);
    for (const [file, text] of Object.entries(files)) writeFileSync(file, text);
    if (user.uid !== undefined) {
      for (const path of [folder, ...Object.keys(files)]) chownSync(path, user.uid, user.gid!);
    }
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
