/**
 * Policies that come with ccpark, `zoo:NAME`: each a checkpoint, packed, and a card beside it. Of a checkpoint only what acts is kept;
 * what learns is zeros, so that it packs into a few kilobytes. It cannot be gone on with.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { CcparkError, unknownName } from "../core/errors.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

export const ZOO_PREFIX = "zoo:";
const ENDING = ".ccpark.gz";

/** `<package>/agents/zoo/`, from the sources as from `dist/`. */
function zooFolder(): string {
  const beside = fileURLToPath(new URL("./zoo/", import.meta.url));
  return existsSync(beside) ? beside : join(dirname(fileURLToPath(import.meta.url)), "../../agents/zoo");
}

export function zooNames(): string[] {
  return readdirSync(zooFolder())
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();
}

/**
 * @param name with or without its prefix
 * @throws CcparkError (not-found) with the nearest name; (invalid-argument) for a file that is no checkpoint
 */
export function loadZoo(name: string): Checkpoint {
  const bare = name.startsWith(ZOO_PREFIX) ? name.slice(ZOO_PREFIX.length) : name;
  const names = zooNames();
  if (!names.includes(bare)) throw unknownName("zoo", "policy", bare, names);
  const path = join(zooFolder(), `${bare}${ENDING}`);
  let bytes: Uint8Array;
  try {
    bytes = gunzipSync(readFileSync(path));
  } catch (cause) {
    const message = `[zoo] not readable, ${path}: got other bytes, expected a packed checkpoint`;
    throw new CcparkError("invalid-argument", message, { cause });
  }
  return decodeCheckpoint(bytes, `${ZOO_PREFIX}${bare}`);
}

/** What a shipped policy is, in a sentence or some: the first paragraph of its card. @param name without its prefix */
export function zooSummary(name: string): string {
  const [, summary = ""] = readFileSync(join(zooFolder(), `${name}.md`), "utf8").split(/\n\n+/);
  return summary.replaceAll("\n", " ").trim();
}

/** Arrays of what acts: the policy's parameters, and the statistics by which it sees observations. */
const ACTS: readonly string[] = ["policy", "observationMean", "observationSquares"];
/** Arrays of what remembers: a policy needs none of it. */
const MEMORY = "replay.";

/** A checkpoint as the zoo has it. */
export function packPolicy({ header, arrays }: Checkpoint): Uint8Array {
  const hasMemory = Object.keys(arrays).some((name) => name.startsWith(MEMORY));
  const kept = Object.entries(arrays).map(([name, array]) => {
    if (ACTS.includes(name)) return [name, array] as const;
    if (name.startsWith(MEMORY)) return [name, array.slice(0, 0)] as const;
    return [name, array.map(() => 0)] as const;
  });
  const state = hasMemory ? { ...(header.state as object), replayCount: 0, replayAt: 0 } : header.state;
  const stripped = { header: { ...header, state }, arrays: Object.fromEntries(kept) };
  return gzipSync(encodeCheckpoint(stripped as Checkpoint), { level: 9 });
}
