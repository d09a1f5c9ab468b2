// Compiles AssemblyScript and writes it as a module, so that bundles and copies of the code need no other file, and beside it the
// interface that the compiler saw.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";

/**
 * @param folder of `index.ts`
 * @param to folder of what is written: NAME-wasm.ts, NAME-interface.ts
 * @param name of the module, a word
 * @param flags of the compiler beside those of every module
 * @param interfaceOf makes the interface's text of the compiler's program
 */
export async function compile({ folder, to, name, flags, interfaceOf }) {
  const wasm = `${to}${name}.wasm`;
  let written;
  mkdirSync(to, { recursive: true });
  const { error, stderr } = await asc.main(
    [
      "index.ts",
      ...["--baseDir", folder],
      ...["--outFile", wasm],
      // no objects of the language's own
      ...["--runtime", "stub", "--noAssert"],
      ...["-O3", "--enable", "nontrapping-f2i", "--enable", "simd"],
      ...flags,
    ],
    {
      transforms: [
        class {
          afterCompile() {
            written = interfaceOf(this.program);
          }
        },
      ],
    },
  );
  if (error) throw new Error(String(stderr), { cause: error });
  const base64 = readFileSync(wasm).toString("base64");
  rmSync(wasm);
  const constant = `${name.toUpperCase()}_WASM`;
  writeFileSync(
    `${to}${name}-wasm.ts`,
    `/** Made by \`npm run engine\`. */\nexport const ${constant}: string =\n  "${base64}";\n`,
  );
  writeFileSync(`${to}${name}-interface.ts`, `/** Made by \`npm run engine\`. */\n${written}`);
}
