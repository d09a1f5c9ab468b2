// Compiles the engine (AssemblyScript): `npm run engine`.
import { fileURLToPath } from "node:url";
import { compile } from "./compile.mjs";
import { interfaceOf } from "./interface.mjs";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await compile({
  folder: pathOf("./"),
  to: pathOf("../generated/"),
  name: "engine",
  flags: [
    // programs of CCP flows join it
    "--exportTable",
    // once more after the others: parts of an object lie at constant distances of it
    ...["--runPasses", "optimize-added-constants-propagate,vacuum"],
    // `memory/memory.ts` is all there is
    ...["--initialMemory", "4"],
  ],
  interfaceOf,
});
