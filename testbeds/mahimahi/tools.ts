/** Mahimahi's tools (Netravali et al. 2015), where they are installed. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export const TOOLS = ["mm-delay", "mm-loss", "mm-link"] as const;

function isOnPath(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Undefined: all of them are there; else one sentence that says how to get them. */
export function whyNoMahimahi(): string | undefined {
  const missing = TOOLS.filter((tool) => !isOnPath(tool));
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not on the PATH: apt-get install mahimahi (Ubuntu), or build github.com/ravinet/mahimahi`;
}
