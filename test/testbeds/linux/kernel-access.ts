/** Tests that load programs into the kernel need Linux, root and BTF: elsewhere they are skipped with the reason. */
import { closeSync, openSync } from "node:fs";

function reason(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root: programs are loaded into the kernel";
  try {
    closeSync(openSync("/sys/kernel/btf/vmlinux", "r"));
    return undefined;
  } catch {
    return "the kernel has no /sys/kernel/btf/vmlinux";
  }
}

/** undefined: they can run. @throws Error under `CI=true` if they cannot: there a skipped test would hide a broken setup */
export function kernelRefuses(): string | undefined {
  const why = reason();
  if (why === undefined) return undefined;
  if (process.env["CI"] === "true") throw new Error(`tests in the kernel: ${why}`);
  console.warn(`skipped: ${why}`);
  return why;
}
