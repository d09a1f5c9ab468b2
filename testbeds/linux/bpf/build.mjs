// Compiles the congestion control (clang) and writes it as a module, so that bundles and copies of the code need no other file.
// The module is checked in: only who changes the C needs clang, llvm-strip and the headers of libbpf.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const SOURCES = ["kernel.h", "ccp.bpf.c"];
const FLAGS = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror"];
// asm/types.h
const HEADERS = `/usr/include/${{ x64: "x86_64", arm64: "aarch64" }[process.arch]}-linux-gnu`;

/** Of the sources, which the module records: a test compares. */
export function sourceHash() {
  const hash = createHash("sha256");
  for (const name of SOURCES) hash.update(readFileSync(pathOf(name)));
  return hash.digest("hex");
}

/** The object, stripped of what only a debugger reads. */
export function compile() {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-bpf-"));
  try {
    const object = join(folder, "ccp.bpf.o");
    const source = ["-c", "ccp.bpf.c", "-o", object];
    // the object names its source: by a path that is the same on every machine
    const paths = [`-I${HEADERS}`, `-ffile-prefix-map=${pathOf(".").replace(/\/$/, "")}=.`];
    execFileSync("clang", [...FLAGS, ...paths, ...source], { cwd: pathOf("."), stdio: "inherit" });
    execFileSync("llvm-strip", ["-g", object], { stdio: "inherit" });
    return readFileSync(object);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const object = compile();
  writeFileSync(
    pathOf("generated/ccp-object.ts"),
    `/** Made by build.mjs from ccp.bpf.c and kernel.h: the congestion control as an object for libbpf, in base64. */
export const CCP_OBJECT: string =
  "${object.toString("base64")}";

/** SHA-256 of the two sources. */
export const CCP_SOURCE_HASH: string =
  "${sourceHash()}";
`,
  );
  console.log(`generated/ccp-object.ts: ${object.length} bytes`);
}
