// Bundles the page of `ccpark ui` with its libraries; run by itself it writes it into the built package.
import { mkdirSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export async function bundlePage() {
  const { outputFiles } = await build({
    entryPoints: [pathOf("page/main.tsx")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    outdir: "page",
    write: false,
    legalComments: "inline",
  });
  const textOf = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;
  return { js: textOf(".js"), css: textOf(".css") };
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const folder = pathOf("../../dist/eval/ui/");
  mkdirSync(folder, { recursive: true });
  const { js, css } = await bundlePage();
  writeFileSync(`${folder}page.js`, js);
  writeFileSync(`${folder}page.css`, css);
}
