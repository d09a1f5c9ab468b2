/** `ccpark doctor`: what this machine can do, why not, and the command that helps. */
import type { Command } from "commander";
import { outTakesColour, outWidth, printOut } from "../console.ts";

/** Part, name, and whether it is there. */
const COLUMN_WIDTHS = [12, 28, 5] as const;
/** of these and five borders */
const OTHER_WIDTH = 50;
const MIN_TEXT_WIDTH = 24;
const DEFAULT_WIDTH = 110;

/** One line of the table. */
interface Finding {
  /** what needs it: a testbed, or what several of them stand on */
  readonly part: string;
  readonly name: string;
  /** undefined: it is there */
  readonly why: string | undefined;
  /** such as a version; or the command that helps where it is missing */
  readonly note: string | undefined;
}

/** The sentences of abilities end with the command that helps, behind a colon. */
function findingOf(part: string, name: string, why: string | undefined, note?: string): Finding {
  if (why === undefined) return { part, name, why, note };
  const at = why.lastIndexOf(": ");
  return at < 0
    ? { part, name, why, note: undefined }
    : { part, name, why: why.slice(0, at), note: why.slice(at + 2) };
}

async function ofTestbeds(): Promise<Finding[]> {
  const { TESTBEDS } = await import("../../testbeds/registry.ts");
  const { getScenario } = await import("../../scenarios/presets.ts");
  const scenario = getScenario("park-paper");
  return [...TESTBEDS.values()].map((testbed) =>
    findingOf("testbed", testbed.name, testbed.refuses(scenario)),
  );
}

async function ofLinks(): Promise<Finding[]> {
  const abilities = await import("../../testbeds/host/abilities.ts");
  return [
    findingOf("real links", "Linux and koffi", abilities.whyNoHost()),
    findingOf("real links", "network namespaces", abilities.whyNoNamespaces()),
    findingOf("real links", "/dev/net/tun", abilities.whyNoTun()),
    findingOf("real links", "user namespaces", abilities.whyNoUserNamespaces()),
  ];
}

async function ofKernel(): Promise<Finding[]> {
  const { KERNEL_ABILITIES } = await import("../../testbeds/host/abilities.ts");
  return KERNEL_ABILITIES.map(({ name, why, note }) => findingOf("linux", name, why(), note?.()));
}

async function ofMahimahi(): Promise<Finding[]> {
  const { whyNoMahimahi } = await import("../../testbeds/mahimahi/tools.ts");
  return [findingOf("mahimahi", "mm-delay, mm-loss, mm-link", whyNoMahimahi())];
}

async function ofPython(): Promise<Finding[]> {
  const { spawnSync } = await import("node:child_process");
  return ["numpy", "gymnasium", "torch"].map((module) => {
    const asked = spawnSync("python3", ["-c", `import ${module}; print(${module}.__version__)`], {
      encoding: "utf8",
    });
    if (asked.error !== undefined) return findingOf("python", module, "python3 is not on the PATH");
    if (asked.status === 0) return findingOf("python", module, undefined, asked.stdout.trim());
    return findingOf("python", module, `python3 does not find it: python3 -m pip install ${module}`);
  });
}

/** A part of the machine is a function here: a new one is one more. */
const PARTS: readonly (() => Promise<Finding[]>)[] = [ofTestbeds, ofLinks, ofKernel, ofMahimahi, ofPython];

async function doctor(options: { readonly json?: true }): Promise<void> {
  const findings = (await Promise.all(PARTS.map((find) => find()))).flat();
  if (options.json === true) {
    for (const { part, name, why, note } of findings) {
      printOut(
        `${JSON.stringify({ part, name, ok: why === undefined, why: why ?? null, note: note ?? null })}\n`,
      );
    }
    return;
  }
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: ["", "", "", "why not, and what helps"],
    style: outTakesColour() ? {} : { head: [], border: [] },
    colWidths: [...COLUMN_WIDTHS, Math.max(MIN_TEXT_WIDTH, (outWidth(false) ?? DEFAULT_WIDTH) - OTHER_WIDTH)],
    wordWrap: true,
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  let before = "";
  for (const { part, name, why, note } of findings) {
    const text = [why, note].filter((line) => line !== undefined).join("\n");
    table.push([part === before ? "" : part, name, why === undefined ? "yes" : "no", text]);
    before = part;
  }
  printOut(`${table.toString()}\n`);
}

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("what this machine can do: each testbed, and what it stands on")
    .option("--json", "one JSON line per row")
    .action(doctor);
}
