/** Compressed files are read as they are. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import { loadTrace } from "../../traces/trace-files.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-"));
afterAll(() => rmSync(folder, { recursive: true }));
const written = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

it("reads a trace that gzip has packed", () => {
  const packed = gzipSync("1\n2\n7\n");
  expect(loadTrace(written("t.trace.gz", packed)).opportunitiesMs).toEqual([1, 2, 7]);
});

it("says of a part of one that it is a part", () => {
  const packed = gzipSync("1\n2\n7\n");
  const load = (): unknown => loadTrace(written("cut.gz", packed.subarray(0, 15)));
  expect(load).toThrow(
    /^\[trace\] .*cut.gz: compressed \(gzip\), but cannot be unpacked: got .*, expected a whole gzip file$/,
  );
});
