// `node bundle-server.mjs FOLDER`: the command line of the Python package, with all that it needs besides node. The folder has
// the layout of the npm package (dist/, traces/, proto/, package.json), so code finds its files as it does there; libraries
// are part of the code, but for those that look for files of their own. koffi (real links) comes for the machine that bundles.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle, startedModules } from "../bundle.mjs";

const clone = fileURLToPath(new URL("..", import.meta.url));
const out = resolve(process.argv[2] ?? "");
const modules = join(clone, "node_modules");

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

/** A library that is loaded late and synchronously is part of the bundle, too. */
const lateLibraries = {
  name: "late-libraries",
  setup(esbuild) {
    esbuild.onLoad({ filter: /-files\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const late = "const require = createRequire(import.meta.url);";
      return text.includes(late) ? { contents: text.replace(late, ""), loader: "ts" } : undefined;
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

await bundle({
  entries: startedModules().filter((file) => !/^(eval|envs\/grpc)\/bench\//.test(file)),
  outdir: join(out, "dist"),
  minifySyntax: true,
  minifyWhitespace: true, // names stay, for the stacks that a report of a defect has
  legalComments: "eof",
  external: EXTERNAL,
  plugins: [namesOfCommonJs, lateLibraries],
});
for (const asset of ASSETS) {
  const from = join(modules, asset);
  if (existsSync(from)) {
    cpSync(from, join(out, "node_modules", asset), { recursive: true, filter: (file) => !UNREAD.test(file) });
  }
}
for (const folder of [
  "proto",
  "traces/shipped",
  "agents/zoo",
  "training/curricula",
  "docs/glossary.md",
  "LICENSE",
]) {
  cpSync(join(clone, folder), join(out, folder), {
    recursive: true,
    filter: (file) => !file.endsWith(".ts"),
  });
}
const { name, version, type, license } = JSON.parse(readFileSync(join(clone, "package.json"), "utf8"));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "package.json"), `${JSON.stringify({ name, version, type, license })}\n`);
