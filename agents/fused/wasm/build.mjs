// Compiles the networks (AssemblyScript): `npm run engine`.
import { fileURLToPath } from "node:url";
import { compile } from "../../../engine/wasm/compile.mjs";
import { addressType, exportsOf } from "../../../engine/wasm/interface.mjs";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await compile({
  folder: pathOf("./"),
  to: pathOf("../generated/"),
  name: "fused",
  flags: ["--enable", "simd"],
  interfaceOf: (program) =>
    [
      'import type { WasmMemory } from "../../../ccp-bridge/datapath/wasm-api.ts";\n',
      addressType,
      "/** What the host calls. */",
      "export interface FusedExports {",
      "  readonly memory: WasmMemory;",
      ...exportsOf(program),
      "}\n",
    ].join("\n"),
});
