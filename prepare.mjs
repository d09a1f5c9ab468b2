// `npm install` and `npx ccpark` in a clone prepare it: built anew only where a source has changed since the last build.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
const built = `${root}dist/cli/main.js`;
const SOURCES = /\.(ts|tsx|css|mjs|json)$/;
const ELSEWHERE = new Set([
  "dist",
  "node_modules",
  "python",
  "test",
  "examples",
  "docs",
  "generated",
  "runs",
]);

function newestIn(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || ELSEWHERE.has(entry.name)) continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) newest = Math.max(newest, newestIn(path));
    else if (SOURCES.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

if (!existsSync(built) || newestIn(root) > statSync(built).mtimeMs) {
  const { status } = spawnSync("npm", ["run", "build"], { cwd: root, stdio: "inherit", shell: true });
  process.exitCode = status ?? 1;
}
