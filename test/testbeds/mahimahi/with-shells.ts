/** Tests that run Mahimahi's shells: where these are not installed they are skipped, and say why. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe } from "vitest";
import { isRoot, whyNoMahimahi } from "../../../testbeds/mahimahi/tools.ts";

const INHERITANCE = "/proc/sys/net/core/devconf_inherit_init_net";
const why = whyNoMahimahi();

/** As root a shell inside another finds the other's forwarding meanwhile. */
export function describeWithShells(name: string, tests: () => void): void {
  if (why !== undefined) {
    describe.skip(`${name} (${why})`, tests);
    return;
  }
  describe(name, () => {
    let before: string | undefined;
    beforeAll(() => {
      if (!isRoot()) return;
      before = readFileSync(INHERITANCE, "utf8");
      writeFileSync(INHERITANCE, "3\n");
    });
    afterAll(() => {
      if (before !== undefined) writeFileSync(INHERITANCE, before);
    });
    tests();
  });
}
