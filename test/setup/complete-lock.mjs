// Completes package-lock.json after an install from a registry that lacks the builds of a package for other platforms:
// npm then leaves them out of the lock file, and `npm ci` refuses it. Adds them with version and platform, without
// digest. Run it as `node test/setup/complete-lock.mjs` after `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const { "": root, ...packages } = lock.packages;

const SYSTEMS = ["android", "darwin", "linux", "win32", "freebsd", "openbsd", "netbsd", "sunos", "aix"];

function cpuOf(name) {
  if (/aarch64|arm64/.test(name)) return "arm64";
  return /arm/.test(name) ? "arm" : "x64";
}

for (const [path, { optionalDependencies = {}, dev }] of Object.entries({ ...packages })) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const at = `node_modules/${name}`;
    const build = name.split("/").at(-1);
    const system = SYSTEMS.find((each) => build.includes(each));
    const exact = /^\d+\.\d+\.\d+/.test(version);
    if (packages[at] || packages[`${path}/${at}`] || system === undefined || !exact) continue;
    packages[at] = {
      version,
      cpu: [cpuOf(build)],
      ...(dev ? { dev } : {}),
      ...(build.includes("musl") ? { libc: ["musl"] } : {}),
      optional: true,
      os: [system],
    };
    console.log(`added ${name} ${version} (${system} ${cpuOf(build)})`);
  }
}

const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"));
lock.packages = { "": root, ...Object.fromEntries(sorted) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
