// Compiles the engine (AssemblyScript) and writes it as a module, so that bundles and copies of the code need no other file.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const folder = pathOf("../generated/");
const wasm = `${folder}engine.wasm`;

mkdirSync(folder, { recursive: true });
const { error, stderr } = await asc.main([
  pathOf("index.ts"),
  ...["--outFile", wasm],
  // no objects of the language's own: `memory/memory.ts` is all there is
  ...["--runtime", "stub", "--noAssert"],
  // programs of CCP flows join it
  "--exportTable",
  ...["-O3", "--initialMemory", "4", "--enable", "nontrapping-f2i"],
]);
if (error) throw new Error(String(stderr), { cause: error });
const base64 = readFileSync(wasm).toString("base64");
rmSync(wasm);
writeFileSync(
  `${folder}engine-wasm.ts`,
  `/** Made by engine/wasm/build.mjs from the files beside it. */\nexport const ENGINE_WASM: string =\n  "${base64}";\n`,
);
