// `npm run sizes [FOLDER]`: how the code is spread over the house. A room (a folder at the top) holds at most a quarter of
// the source lines, a folder at most 15 source files beside its folders; past that it is time to look for a seam. Tests and
// generated code count apart. Exits with 1 when something is over.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const MAX_SHARE = 0.25;
const MAX_LOOSE_FILES = 15;
/** Folders that are printed although they are not over. */
const SHOWN_FOLDERS = 5;

const CODE = /\.(ts|mjs|cjs|js|py|pyi|go|rs|sh)$/;
const GENERATED = /(^|\/)generated\/|_pb2\.pyi?$/;
const TESTS = /^test\/|^python\/tests\//;

const root = resolve(process.argv[2] ?? fileURLToPath(new URL("../..", import.meta.url)));

function sourceFiles() {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = listed.split("\0").filter((file) => CODE.test(file) && file.includes("/"));
  return files.filter((file) => existsSync(join(root, file)));
}

function kindOf(file) {
  if (GENERATED.test(file)) return "generated";
  return TESTS.test(file) ? "tests" : "source";
}

/** Sums, the largest first. */
function sumBy(entries, keyOf, amountOf) {
  const sums = new Map();
  for (const entry of entries) sums.set(keyOf(entry), (sums.get(keyOf(entry)) ?? 0) + amountOf(entry));
  return [...sums].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
}

const files = sourceFiles().map((path) => ({
  path,
  kind: kindOf(path),
  lines: readFileSync(join(root, path), "utf8").split("\n").length - 1,
}));
const source = files.filter((file) => file.kind === "source");
const total = source.reduce((sum, file) => sum + file.lines, 0);
const linesOf = (kind) =>
  files.filter((file) => file.kind === kind).reduce((sum, file) => sum + file.lines, 0);

const mistakes = [];
console.log("room             lines   share");
for (const [room, lines] of sumBy(
  source,
  ({ path }) => path.slice(0, path.indexOf("/")),
  ({ lines }) => lines,
)) {
  const share = lines / total;
  const percent = `${(100 * share).toFixed(1)} %`;
  console.log(`${`${room}/`.padEnd(14)}${String(lines).padStart(8)}${percent.padStart(8)}`);
  if (share > MAX_SHARE) mistakes.push(`${room}/ holds ${percent} of the source lines, at most 25 %`);
}
console.log(`${"source".padEnd(14)}${String(total).padStart(8)}`);
console.log(`${"tests".padEnd(14)}${String(linesOf("tests")).padStart(8)}`);
console.log(`${"generated".padEnd(14)}${String(linesOf("generated")).padStart(8)}`);

const folders = sumBy(
  files.filter((file) => file.kind !== "generated"),
  ({ path }) => dirname(path),
  () => 1,
);
console.log("\nfolder with most loose files");
for (const [i, [folder, count]] of folders.entries()) {
  if (i < SHOWN_FOLDERS || count > MAX_LOOSE_FILES) console.log(`${String(count).padStart(4)}  ${folder}/`);
  if (count > MAX_LOOSE_FILES)
    mistakes.push(`${folder}/ has ${count} loose files, at most ${MAX_LOOSE_FILES}`);
}
for (const mistake of mistakes) console.error(`[sizes] ${mistake}`);
process.exitCode = mistakes.length > 0 ? 1 : 0;
