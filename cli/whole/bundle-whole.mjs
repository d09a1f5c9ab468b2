// What `run-whole.mjs` runs: one script of all modules, what V8 compiles of it, and in place of each module that others load one that
// takes it from there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

const MAIN = "cli/main";
/** Scripts have neither of them; `run-whole.mjs` hands over its own. */
const MODULES_ONLY = [
  [/\bawait import\(/g, "await __import("],
  [/\bimport\.meta\.resolve\(/g, "__resolve("],
  [/\bPromise\.resolve\(\)\.then\(\(\) => \(init_/g, "__load(() => (init_"],
];

/** Loads of a module by name, in the text of the script: none of them may be left. */
const LEFT = /^(?!\s*(\/\/|\/?\*)).*\bimport(\.meta|\((?!"ccpark))/m;

/** The bundler escapes them in strings, and leaves them in regular expressions and comments. */
const NOT_ASCII = /[^\0-\x7f]/g;

function pathFrom(file, to) {
  return relative(dirname(file), to).replace(/^(?!\.)/, "./");
}

/** Their exports are there at once, as an importing module has to have them. */
function exporter(name) {
  return `${JSON.stringify(name)}: () => require("./${name}.ts")`;
}

function starter(name) {
  const load =
    name === MAIN ? 'import("./cli/whole/start.ts").then(({ start }) => start())' : `import("./${name}.ts")`;
  return `${JSON.stringify(name)}: () => ${load}`;
}

/** A script takes libraries by `require`, which Node refuses for modules that wait while they load: those need an `await import`. */
function expectRequirable(metafile, root) {
  const require = createRequire(join(root, "x.js"));
  const required = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external, kind }) => external && kind === "require-call"),
  );
  for (const path of new Set(required.map((each) => each.path))) {
    try {
      require(path);
    } catch (cause) {
      throw new Error(`the commands' script cannot take \`${path}\` as it starts: load it where it is used`, {
        cause,
      });
    }
  }
}

async function scriptOf({ started, exported, bundle, root, outdir, external }) {
  const { metafile } = await bundle({
    entries: [],
    outdir,
    stdin: {
      contents: `export const started = { ${started.map(starter).join(", ")} };
export const exported = { ${exported.map(exporter).join(", ")} };`,
      resolveDir: root,
      sourcefile: "whole.ts",
      loader: "ts",
    },
    entryNames: "whole",
    outExtension: { ".js": ".cjs" },
    splitting: false,
    format: "cjs",
    banner: {},
    logOverride: { "empty-import-meta": "silent" },
    define: { "import.meta.resolve": "__resolve" },
    external,
    metafile: true,
  });
  expectRequirable(metafile, root);
  let text = readFileSync(join(outdir, "whole.cjs"), "utf8");
  for (const [module, script] of MODULES_ONLY) text = text.replaceAll(module, script);
  const left = LEFT.exec(text);
  if (left !== null) throw new Error(`a script cannot do what a module does: ${left[0].slice(0, 200)}`);
  // it is read whole at each start; names stay as they are, for whoever reads a stack
  const { code } = await transform(text, { minifyWhitespace: true, target: "node20" });
  // one byte of the file is one character of the script
  return code.replace(NOT_ASCII, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The module itself is beside it from now on. */
function replaceModule(name, outdir, textOf) {
  const file = join(outdir, `${name}.js`);
  renameSync(file, join(outdir, `${name}.modules.js`));
  writeFileSync(file, textOf(file, `./${name.slice(name.lastIndexOf("/") + 1)}.modules.js`));
}

/**
 * @param started modules of commands and threads, relative to the clone and without extension
 * @param exported modules that other packages import, with the names that each exports: one that a command loads for its user has the
 *   command's own classes and tables
 * @param bundle as of `bundle.mjs`
 */
export async function bundleWhole({ started, exported, bundle, root, outdir, external }) {
  const names = Object.keys(exported);
  for (const file of readdirSync(outdir)) if (file.startsWith("whole")) rmSync(join(outdir, file));
  const text = await scriptOf({ started, exported: names, bundle, root, outdir, external });
  // V8 tells by the length alone whether what it compiled is of this script
  const script = `whole-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  rmSync(join(outdir, "whole.cjs"));
  writeFileSync(join(outdir, `${script}.cjs`), text);
  mkdirSync(join(outdir, "cli/whole"), { recursive: true });
  const runWhole = join(outdir, "cli/whole/run-whole.js");
  cpSync(join(here, "run-whole.mjs"), runWhole);
  writeFileSync(runWhole, readFileSync(runWhole, "utf8").replace("__SCRIPT__", script));
  for (const name of started)
    replaceModule(
      name,
      outdir,
      (file, own) => `#!/usr/bin/env node
import { fromWhole } from ${JSON.stringify(pathFrom(file, runWhole))};

const loaded = await (fromWhole(${JSON.stringify(name)}) ?? import(${JSON.stringify(own)}));
export default loaded?.default;
`,
    );
  for (const name of names)
    replaceModule(
      name,
      outdir,
      (_, own) => `import * as modules from ${JSON.stringify(own)};

const whole = globalThis[Symbol.for("ccpark.whole")];
export const { ${exported[name].join(", ")} } = whole?.(${JSON.stringify(name)}) ?? modules;
`,
    );
  const { status, stderr } = spawnSync(execPath, [join(here, "compile.mjs"), pathToFileURL(runWhole).href], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`what the commands' script compiles to: ${stderr}`);
}
