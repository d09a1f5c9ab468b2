// Compiles the engine (AssemblyScript) and writes it as a module, so that bundles and copies of the code need no other file,
// and beside it the interface that the compiler saw.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { interfaceOf } from "./interface.mjs";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const folder = pathOf("../generated/");
const wasm = `${folder}engine.wasm`;
let engineInterface;

mkdirSync(folder, { recursive: true });
const { error, stderr } = await asc.main(
  [
    "index.ts",
    ...["--baseDir", pathOf("./")],
    ...["--outFile", wasm],
    // no objects of the language's own: `memory/memory.ts` is all there is
    ...["--runtime", "stub", "--noAssert"],
    // programs of CCP flows join it
    "--exportTable",
    // once more after the others: parts of an object lie at constant distances of it
    ...["--runPasses", "optimize-added-constants-propagate,vacuum"],
    ...["-O3", "--initialMemory", "4", "--enable", "nontrapping-f2i"],
  ],
  {
    transforms: [
      class {
        afterCompile() {
          engineInterface = interfaceOf(this.program);
        }
      },
    ],
  },
);
if (error) throw new Error(String(stderr), { cause: error });
const base64 = readFileSync(wasm).toString("base64");
rmSync(wasm);
writeFileSync(
  `${folder}engine-wasm.ts`,
  `/** Made by engine/wasm/build.mjs from the files beside it. */\nexport const ENGINE_WASM: string =\n  "${base64}";\n`,
);
writeFileSync(`${folder}engine-interface.ts`, engineInterface);
