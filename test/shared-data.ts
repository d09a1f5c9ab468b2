/**
 * Finds shared test data (golden vectors, traces) that live outside the repository: in the folder named by
 * `CCPARK_TEST_DATA`, by default `../shared` next to the repository.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder of shared test data. */
export const sharedDataFolder: string = resolve(
  repositoryRoot,
  process.env["CCPARK_TEST_DATA"] ?? "../shared",
);

/**
 * Absolute path of a shared data file or folder, such as `ccp/vectors.json`; undefined (with a printed reason) where
 * it is absent, so that a test can skip itself.
 * @throws Error under `CI=true` if it is absent: there a skipped test would hide a broken setup
 */
export function sharedData(path: string): string | undefined {
  const absolute = join(sharedDataFolder, path);
  if (existsSync(absolute)) return absolute;
  const reason = `shared test data \`${path}\` not found in ${sharedDataFolder} (set CCPARK_TEST_DATA)`;
  if (process.env["CI"] === "true") throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return undefined;
}
