// `node bundle-server.mjs FOLDER`: the command line of the Python package, with all that it needs besides node. The folder has
// the layout of the npm package (dist/, traces/, proto/, package.json), so code finds its files as it does there; libraries
// are part of the code, but for those that look for files of their own. koffi (real links) comes for the machine that bundles.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const clone = fileURLToPath(new URL("..", import.meta.url));
const out = resolve(process.argv[2] ?? "");
const modules = join(clone, "node_modules");
const { build } = createRequire(join(clone, "package.json"))("esbuild");

/** Files that libraries open at run time, below node_modules. */
const ASSETS = [
  "@grpc/reflection/build/proto",
  "@grpc/reflection/package.json",
  "grpc-health-check/proto",
  "@resvg/resvg-wasm/package.json",
  "@resvg/resvg-wasm/index_bg.wasm",
  "dejavu-fonts-ttf/package.json",
  "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
  "dejavu-fonts-ttf/LICENSE",
  "vega/package.json",
  "vega/build/vega.min.js",
  "vega-lite/package.json",
  "vega-lite/build/vega-lite.min.js",
  "piscina/package.json",
  "piscina/dist",
  "onnxruntime-web/package.json",
  "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
  "@tensorflow/tfjs-core/package.json",
  "@tensorflow/tfjs-core/dist/tf-core.node.js",
  "@tensorflow/tfjs-backend-cpu/package.json",
  "@tensorflow/tfjs-backend-cpu/dist/tf-backend-cpu.node.js",
  "@tensorflow/tfjs-backend-wasm/package.json",
  "@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.node.js",
  "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm",
  "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
  "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm",
  "seedrandom",
  "koffi",
  "@koromix",
];
/** Without what only a debugger reads. */
const UNREAD = /\.(map|d\.ts|cc|hh|inc|md)$|node_modules\/koffi\/(vendor|doc|lib)$/;
const EXTERNAL = ["@tensorflow/*", "koffi", "onnxruntime-*", "piscina", "playwright-core", "canvas"];

const BANNER = `import { createRequire as __createRequire } from "node:module";
import { fileURLToPath as __fileURLToPath, URL as __URL } from "node:url";
const require = __createRequire(import.meta.url);
const __root = new __URL(import.meta.url.slice(0, import.meta.url.lastIndexOf("/dist/") + 1));
`;

/** Code that looks for files beside itself looks where they lie in an installed npm package. */
const locations = {
  name: "locations",
  setup(esbuild) {
    esbuild.onLoad({ filter: /\.(ts|m?js)$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const inModules = path.indexOf(`${sep}node_modules${sep}`);
      const own = inModules < 0;
      const place = (own ? relative(clone, path) : path.slice(inModules + 1)).split(sep).join("/");
      const loader = path.endsWith(".ts") ? "ts" : "js";
      // a library that is loaded late and synchronously is part of the bundle, too
      const lazy = "const require = createRequire(import.meta.url);";
      if (own && text.includes(lazy)) return { contents: text.replace(lazy, ""), loader };
      if (own && text.includes("import.meta.url")) {
        const built = `dist/${place.replace(/\.ts$/, ".js")}`;
        const url = `new __URL(${JSON.stringify(built)}, __root).href`;
        return { contents: text.replaceAll("import.meta.url", url), loader };
      }
      if (!own && /\b__(dirname|filename)\b/.test(text)) {
        const where = (name) => `__fileURLToPath(new __URL(${JSON.stringify(name)}, __root))`;
        const contents = text
          .replace(/\b__dirname\b/g, where(dirname(place)))
          .replace(/\b__filename\b/g, where(place));
        return { contents, loader };
      }
      return { contents: text, loader };
    });
  },
};

/** `await import("pino")` gives the names that node finds in a CommonJS module; esbuild alone gives only `default`. */
const namesOfCommonJs = {
  name: "names-of-common-js",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind !== "dynamic-import" || pluginData === "seen" || isBuiltin(path)) return undefined;
      const found = await esbuild.resolve(path, { kind, resolveDir, pluginData: "seen" });
      return found.external || found.errors.length > 0 ? found : { path: found.path, namespace: "names" };
    });
    esbuild.onLoad({ filter: /.*/, namespace: "names" }, async ({ path }) => {
      const { default: all, ...named } = await import(pathToFileURL(path).href);
      const file = JSON.stringify(path);
      const names = Object.keys(named).filter((name) => name !== "module.exports");
      const isCommonJs = all !== undefined && names.every((name) => all[name] === named[name]);
      const contents = isCommonJs
        ? `const all = require(${file}); export default all; export const { ${names.join(", ")} } = all;`
        : `export * from ${file}; ${all === undefined ? "" : `export { default } from ${file};`}`;
      return { contents, resolveDir: dirname(path) };
    });
  },
};

const entries = [
  "cli/main.ts",
  "cli/env-worker.ts",
  "cli/bench/bench-worker.ts",
  "training/training-worker.ts",
  "testbeds/emulated/link-thread.ts",
  "testbeds/linux/bulk-thread.ts",
  "testbeds/sites/sendbox-thread.ts",
].map((file) => join(clone, file));
await build({
  absWorkingDir: clone,
  entryPoints: entries.filter((file) => existsSync(file)),
  outbase: clone,
  outdir: join(out, "dist"),
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true, // names stay, for the stacks that a report of a defect has
  legalComments: "eof",
  external: EXTERNAL,
  banner: { js: BANNER },
  plugins: [namesOfCommonJs, locations],
  logLevel: "warning",
});
for (const asset of ASSETS) {
  const from = join(modules, asset);
  if (existsSync(from)) {
    cpSync(from, join(out, "node_modules", asset), { recursive: true, filter: (file) => !UNREAD.test(file) });
  }
}
for (const folder of ["proto", "traces/shipped", "LICENSE"]) {
  cpSync(join(clone, folder), join(out, folder), { recursive: true });
}
const { name, version, type, license } = JSON.parse(readFileSync(join(clone, "package.json"), "utf8"));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "package.json"), `${JSON.stringify({ name, version, type, license })}\n`);
