import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { CCP_OBJECT, CCP_SOURCE_HASH } from "../../../testbeds/linux/bpf/generated/ccp-object.ts";

/** Of clang in Debian 12, which made the object that is checked in. */
const CLANG = /clang version 14\./;

function clangVersion(): string {
  try {
    return execFileSync("clang", ["--version"], { encoding: "utf8" });
  } catch {
    return "";
  }
}

/** A script for people, without types. */
const builder = (): Promise<{ sourceHash(): string; compile(): Buffer }> =>
  import(new URL("../../../testbeds/linux/bpf/build.mjs", import.meta.url).href);

describe("the object with the kernel's part", () => {
  it("was made from the sources beside it (else: npm run build:bpf)", async () => {
    expect((await builder()).sourceHash()).toBe(CCP_SOURCE_HASH);
  });

  it("has some tens of kB and names no path of the machine that made it", () => {
    const object = Buffer.from(CCP_OBJECT, "base64");
    expect(object.length).toBeLessThan(80_000);
    expect(object.includes("/ccp.bpf.c")).toBe(true);
    expect(object.includes("testbeds/linux")).toBe(false);
  });

  it.skipIf(!CLANG.test(clangVersion()))("is what the sources make, byte for byte", async () => {
    expect((await builder()).compile().equals(Buffer.from(CCP_OBJECT, "base64"))).toBe(true);
  });
});
