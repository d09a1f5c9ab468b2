/**
 * How a built command starts: from one script of all its modules, and what V8 once compiled of it. Reading these two files takes
 * a third of the time of some two hundred modules, each of which Node looks up, reads and compiles. What V8 compiled holds for one
 * version of V8, on one kind of processor, with the same flags: elsewhere the modules are loaded, and so where there is no such file.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

const SCRIPT = fileURLToPath(new URL("../../__SCRIPT__.cjs", import.meta.url));
export const COMPILED = SCRIPT.replace(/cjs$/, `${process.versions.v8}-${process.arch}.cache`);

/** @param cachedData what V8 compiled of it; absent: it compiles as it runs */
export function readScript(cachedData) {
  // one byte per character: what is not ASCII is escaped
  const source = `(function (require, exports, module, __import, __resolve, __load, __fileURLToPath, __root) {${readFileSync(SCRIPT, "latin1")}\n})`;
  return new Script(source, { filename: SCRIPT, cachedData });
}

/** A module of the script. Ctrl-C has its turn after each, as it has where modules are read. */
async function loadHere(load) {
  const module = load();
  await new Promise((done) => setImmediate(done));
  return module;
}

/** @returns for each module of a command or thread its name and what loads it */
export function startersOf(script) {
  const module = { exports: {} };
  script.runInThisContext()(
    createRequire(SCRIPT),
    module.exports,
    module,
    (name) => import(name),
    (name) => import.meta.resolve(name),
    loadHere,
    fileURLToPath,
    new URL("../../../", import.meta.url),
  );
  const { started, exported } = module.exports;
  // a user's module that imports the package gets what runs here, not another copy of it
  globalThis[Symbol.for("ccpark.whole")] = (name) => exported[name]();
  return started;
}

/** @returns the module; undefined: load it by itself, nothing is compiled for this V8 and its flags */
export function fromWhole(name) {
  if (!existsSync(COMPILED)) return undefined;
  let script;
  try {
    script = readScript(readFileSync(COMPILED));
  } catch {
    return undefined; // not readable: why, the modules tell
  }
  return script.cachedDataRejected ? undefined : startersOf(script)[name]();
}
