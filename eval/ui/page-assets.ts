/** Script and style of the page: bundled when the package was built; from the sources bundled at first use. */
import { readFileSync } from "node:fs";

export interface PageAssets {
  readonly js: string;
  readonly css: string;
}

let assets: Promise<PageAssets> | undefined;

export function pageAssets(): Promise<PageAssets> {
  return (assets ??= load());
}

async function load(): Promise<PageAssets> {
  const at = (file: string): URL => new URL(`./${file}`, import.meta.url);
  if (import.meta.url.endsWith(".js")) {
    return { js: readFileSync(at("page.js"), "utf8"), css: readFileSync(at("page.css"), "utf8") };
  }
  const { bundlePage } = (await import(at("bundle-page.mjs").href)) as { bundlePage(): Promise<PageAssets> };
  return bundlePage();
}
