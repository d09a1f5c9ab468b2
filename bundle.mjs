// Bundles the built package: `node bundle.mjs` writes the modules that others load (package.json's exports and commands, worker
// threads) into dist/, with what they share in dist/chunks. A start reads some tens of files instead of some six hundred.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleWhole } from "./cli/whole/bundle-whole.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Libraries that almost every start loads, in many files: part of the bundle. The others are loaded when they are needed. */
const INLINED = ["@noble/*", "cli-table3", "commander", "fflate", "jstat", "pure-rand", "zod"];

// Libraries have variables of their own called URL, and esbuild does not look into this text.
const BANNER = `import { createRequire as __createRequire } from "node:module";
import { fileURLToPath as __fileURLToPath } from "node:url";
const require = __createRequire(import.meta.url);
const __root = new globalThis.URL(import.meta.url.slice(0, import.meta.url.lastIndexOf("/dist/") + 1));
`;

const isSource = (name) => /\.ts$/.test(name) && !name.endsWith(".d.ts");

function* sourcesIn(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourcesIn(path);
    else if (isSource(entry.name)) yield path;
  }
}

const FOLDERS = JSON.parse(readFileSync(join(root, "tsconfig.build.json"), "utf8")).include.filter(
  (name) => !name.endsWith(".ts"),
);
/** How a module names the module of a thread or process that it starts. */
const STARTED = /new URL\(\s*[`"](\.[^`"$]*)\.(?:\$\{extension\}|js)[`"],\s*import\.meta\.url/g;

/** Threads of a server, which may be many and stay: a copy of the commands' script takes 25 MB of each. */
const LASTING = ["cli/env-worker.ts"];

/** Modules of threads and processes, found where they are started. */
export function startedModules() {
  const found = new Set();
  for (const folder of FOLDERS) {
    for (const path of sourcesIn(folder)) {
      for (const [, name] of readFileSync(join(root, path), "utf8").matchAll(STARTED)) {
        found.add(join(dirname(path), `${name}.ts`));
      }
    }
  }
  return [...found].sort();
}

/** What package.json names below dist/. */
function namedModules() {
  const texts = [JSON.stringify([manifest.exports, manifest.bin, manifest.scripts])];
  return [...new Set(texts.join().match(/dist\/[\w/-]+\.js/g))].map((name) =>
    name.replace(/^dist\//, "").replace(/\.js$/, ".ts"),
  );
}

/** @returns for each module that package.json exports, without extension, the names of its exports */
function exportedNames({ outputs }) {
  return Object.fromEntries(
    Object.values(manifest.exports).flatMap(({ default: path }) =>
      path === undefined
        ? []
        : [[path.slice("./dist/".length, -".js".length), outputs[path.slice(2)].exports]],
    ),
  );
}

/** Code that looks for files beside itself looks where they lie in an installed npm package. */
const locations = {
  name: "locations",
  setup(esbuild) {
    esbuild.onLoad({ filter: /\.(ts|m?js)$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const inModules = path.indexOf(`${sep}node_modules${sep}`);
      const own = inModules < 0;
      const place = (own ? relative(root, path) : path.slice(inModules + 1)).split(sep).join("/");
      const loader = path.endsWith(".ts") ? "ts" : "js";
      if (own && text.includes("import.meta.url")) {
        const built = `dist/${place.replace(/\.ts$/, ".js")}`;
        const url = `new globalThis.URL(${JSON.stringify(built)}, __root).href`;
        return { contents: text.replaceAll("import.meta.url", url), loader };
      }
      if (!own && /\b__(dirname|filename)\b/.test(text)) {
        const where = (name) => `__fileURLToPath(new globalThis.URL(${JSON.stringify(name)}, __root))`;
        const contents = text
          .replace(/\b__dirname\b/g, where(dirname(place)))
          .replace(/\b__filename\b/g, where(place));
        return { contents, loader };
      }
      return { contents: text, loader };
    });
  },
};

/** Where esbuild says from which module the lines below come. */
const MODULE_LINE = /^(?=\/\/ \S+\.ts$)/m;
const DECLARATION = /^(?:export )?(const|let) (\w+)/gm;

/**
 * esbuild makes variables of what modules declare as constants. V8 reads a variable wherever it is used and folds a constant into the
 * code. So they are constants again. A name may have got a number behind it.
 */
function withConstants(text) {
  return text
    .split(MODULE_LINE)
    .map((part) => {
      const path = join(root, part.slice("// ".length, part.indexOf("\n")));
      if (!part.startsWith("// ") || !existsSync(path)) return part;
      const declarations = Array.from(readFileSync(path, "utf8").matchAll(DECLARATION), ([, kind, name]) => [
        name,
        kind,
      ]);
      const kinds = new Map(declarations);
      return part
        .replace(/^var (?=[[{])/gm, "const ")
        .replace(/^var (?=(\w+?)(\d*) = )/gm, (whole, name, digits) =>
          (kinds.get(name + digits) ?? kinds.get(name)) === "const" ? "const " : whole,
        );
    })
    .join("");
}

/** @returns esbuild's result; @param options what differs: `entries` are relative to the clone, `outdir` is an absolute folder called dist */
export async function bundle({ entries, outdir, plugins = [], ...options }) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: entries.map((file) => join(root, file)),
    outbase: root,
    outdir,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: { js: BANNER },
    plugins: [...plugins, locations],
    logLevel: "warning",
    write: false,
    ...options,
  });
  for (const { path, text } of result.outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, withConstants(text));
  }
  return result;
}

function* filesIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

/** The licences of what was bundled go with it. */
function licencesOf(inputs) {
  const folders = new Set(
    Object.keys(inputs).flatMap((path) => path.match(/^node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? []),
  );
  return [...folders].sort().map((folder) => {
    const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
    const { name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    if (file === undefined) throw new Error(`${name} has no licence file to bundle`);
    return `${name} ${version}\n\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`;
  });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = join(root, "dist");
  const isInlined = (name) =>
    INLINED.some((each) => (each.endsWith("/*") ? name.startsWith(each.slice(0, -1)) : name === each));
  const libraries = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
    ...manifest.devDependencies,
  });
  mkdirSync(outdir, { recursive: true });
  const entries = [...namedModules(), ...startedModules()];
  const external = libraries.filter((name) => !isInlined(name));
  const { metafile } = await bundle({ entries, outdir, external, metafile: true });
  const written = new Set(Object.keys(metafile.outputs).map((path) => resolve(root, path)));
  // of an earlier build, whose chunks had other names
  for (const path of filesIn(outdir)) {
    if (path.endsWith(".js") && !written.has(path)) rmSync(path);
  }
  await bundleWhole({
    started: startedModules()
      .filter((file) => file.startsWith("cli/") && !LASTING.includes(file))
      .map((file) => file.replace(/\.ts$/, "")),
    exported: exportedNames(metafile),
    bundle,
    root,
    outdir,
    external,
  });
  // npx links the command once: a later build has to be executable by itself
  for (const path of Object.values(manifest.bin)) chmodSync(join(root, path), 0o755);
  const rule = `\n${"-".repeat(80)}\n\n`;
  writeFileSync(join(outdir, "LICENSES.txt"), licencesOf(metafile.inputs).join(rule));
}
