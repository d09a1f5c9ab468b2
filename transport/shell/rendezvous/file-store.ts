/**
 * A store in a folder for the processes of one host, without a server and without locks: whoever ends, however, holds up nobody.
 *
 * Each swap of a key is a file whose name is its number, `FOLDER/SHA-256 OF KEY/NUMBER`; the highest is what is there. A swap of the nth writes
 * its file under another name and links it to n + 1, which the system does whole and for one process alone. The latest files stay, so that who
 * lists the folder meanwhile finds one of them; older ones go. That makes a name free again, to which somebody who had looked long before may
 * link: so each file tells those that it follows, and whoever finds higher ones looks whether they follow its own.
 */
import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CcparkError } from "../../../core/errors.ts";
import type { Bytes } from "../../../core/units.ts";
import { textOption } from "../../chunnels/options.ts";
import type { RendezvousStore } from "../../rendezvous/store.ts";
import { promisedStore } from "./foreign-stores.ts";

const MAX_VALUE_BYTES: Bytes = 1 << 16;
const ID_BYTES: Bytes = 8;
/** Ids in each file of those before it: who sleeps while so many swaps are made is told that nobody knows whether its own was. */
const MAX_BEFORE = 64;
/** Listing a folder of so few files takes one system call or two: not all of them go meanwhile. */
const KEPT_FILES = 8;
/** What a process that ended left behind is younger than what another one is writing. */
const ABANDONED_MS = 60_000;
const NEW = "new-";

interface Version {
  readonly number: number;
  readonly id: string;
  /** ids of the versions before, the latest first */
  readonly before: readonly string[];
  readonly value: Uint8Array;
}

/** Before there is any. */
const NOTHING: Version = { number: 0, id: "", before: [], value: new Uint8Array(0) };

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function fault(where: string, got: string, expected: string): CcparkError {
  const message = `[transport] store ${where}: got ${got}, expected ${expected}`;
  return new CcparkError("failed-precondition", message);
}

function revisionOf({ number, id }: Version): string {
  return `${number}.${id}`;
}

class FileStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #placeOf(key: string): string {
    return join(this.#folder, createHash("sha256").update(key).digest("hex"));
  }

  async #numbers(place: string): Promise<number[]> {
    try {
      const names = await readdir(place);
      return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  /** @returns undefined: it is gone, since there are later ones */
  async #read(place: string, number: number): Promise<Version | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readFile(join(place, String(number)));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
    const end = bytes.indexOf("\n");
    const [id, ...before] = bytes.toString("latin1", 0, Math.max(0, end)).split(" ");
    if (id?.length !== 2 * ID_BYTES) throw fault(join(place, String(number)), "another file", "a store's");
    return { number, id, before, value: new Uint8Array(bytes.subarray(end + 1)) };
  }

  async latest(key: string): Promise<Version> {
    const place = this.#placeOf(key);
    for (;;) {
      const number = Math.max(0, ...(await this.#numbers(place)));
      if (number === 0) return NOTHING;
      const version = await this.#read(place, number);
      if (version !== undefined) return version;
    }
  }

  async swap(key: string, revision: string | undefined, value: Uint8Array): Promise<boolean> {
    if (value.length > MAX_VALUE_BYTES) {
      throw fault(this.#folder, `a value of ${value.length} bytes`, `at most ${MAX_VALUE_BYTES}`);
    }
    const last = await this.latest(key);
    if ((last.number === 0 ? undefined : revisionOf(last)) !== revision) return false;
    const place = this.#placeOf(key);
    await mkdir(place, { recursive: true });
    const id = randomBytes(ID_BYTES).toString("hex");
    const before = last.number === 0 ? [] : [last.id, ...last.before].slice(0, MAX_BEFORE);
    const written = join(place, `${NEW}${id}`);
    const own = last.number + 1;
    try {
      await writeFile(
        written,
        Buffer.concat([Buffer.from(`${[id, ...before].join(" ")}\n`, "latin1"), value]),
      );
      await link(written, join(place, String(own)));
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    } finally {
      await rm(written, { force: true });
    }
    return await this.#isMade(key, own, id);
  }

  /** The file stands; whether it follows the one that was the latest then. @throws CcparkError (unavailable): nobody knows */
  async #isMade(key: string, own: number, id: string): Promise<boolean> {
    const place = this.#placeOf(key);
    const latest = await this.latest(key);
    // the highest never goes: where none is higher none ever was
    if (latest.number === own) {
      await this.#tidy(place, own);
      return true;
    }
    const follows = latest.before[latest.number - own - 1];
    if (follows === id) return true;
    await rm(join(place, String(own)), { force: true });
    if (follows !== undefined) return false;
    const message = `[transport] store ${this.#folder}: others have swapped more than ${MAX_BEFORE} times meanwhile`;
    throw new CcparkError("unavailable", message);
  }

  async #tidy(place: string, latest: number): Promise<void> {
    for (const name of await readdir(place)) {
      const isOld = /^[1-9]\d*$/.test(name) && Number(name) <= latest - KEPT_FILES;
      if (isOld || (name.startsWith(NEW) && (await isAbandoned(join(place, name))))) {
        await rm(join(place, name), { force: true });
      }
    }
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Of the processes that see the same folder, on a file system with hard links; of several hosts only where that of a network does
 * as one of a host. Whoever may write there can change what is in it.
 * @param folder made when it is needed
 */
export function fileStore(folder: string): RendezvousStore {
  const store = new FileStore(textOption("fileStore", "folder", folder));
  return promisedStore({
    get: async (key) => {
      const version = await store.latest(key);
      return version.number === 0 ? undefined : { value: version.value, revision: revisionOf(version) };
    },
    swap: (key, revision, value) => store.swap(key, revision, value),
  });
}
