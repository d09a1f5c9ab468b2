/** Tests that load programs into the kernel need Linux, root and BTF: elsewhere they are skipped with the reason. */
import { whyNoKernel } from "../../../testbeds/linux/linux.ts";

/** undefined: they can run. @throws Error under `CI=true` if they cannot: there a skipped test would hide a broken setup */
export function kernelRefuses(): string | undefined {
  const why = whyNoKernel();
  if (why === undefined) return undefined;
  if (process.env["CI"] === "true") throw new Error(`tests in the kernel: ${why}`);
  console.warn(`skipped: ${why}`);
  return why;
}
