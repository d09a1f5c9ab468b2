/** `ccpark stack`: transports out of chunnels, drawn and listed. */
import { type Command, InvalidArgumentError } from "commander";
import { CcparkError } from "../../../core/errors.ts";
import { printErr, printOut } from "../../console.ts";
import { inputName, readText } from "../../text-input.ts";

interface DrawOptions {
  readonly picture?: string;
}

function parsePicturePath(text: string): string {
  if (!/\.(svg|png)$/i.test(text)) {
    throw new InvalidArgumentError("expected a file name that ends in .svg or .png.");
  }
  return text;
}

async function draw(file: string, { picture }: DrawOptions): Promise<void> {
  const { parseStack } = await import("../../../transport/stack/registry.ts");
  const { drawStack, stackFigure } = await import("../../../transport/stack/draw.ts");
  let json: unknown;
  try {
    json = JSON.parse(readText(file));
  } catch (cause) {
    if (cause instanceof CcparkError) throw cause;
    const { message } = cause as Error;
    throw new CcparkError("invalid-argument", `[transport] ${inputName(file)} is not JSON: ${message}`, {
      cause,
    });
  }
  const specs = parseStack(json);
  printOut(drawStack(specs));
  if (picture === undefined) return;
  const { writePicture } = await import("../../../eval/experiments/experiment-files.ts");
  await writePicture(picture, { spec: stackFigure(specs), names: [] });
  printErr(`picture: ${picture}\n`);
}

async function list(): Promise<void> {
  const { CHUNNELS } = await import("../../../transport/stack/registry.ts");
  const width = Math.max(...[...CHUNNELS.keys()].map((name) => name.length));
  const lines = [...CHUNNELS].map(([name, { summary, options }]) => {
    const known = options.length === 0 ? "" : ` (${options.join(", ")})`;
    return `  ${name.padEnd(width)}  ${summary}${known}\n`;
  });
  printOut(
    `Chunnels, of which a stack in JSON is a list, top first, a base at its end:\n\n${lines.join("")}`,
  );
}

export function addStack(program: Command): void {
  const stack = program
    .command("stack")
    .description("transports out of chunnels: a stack is a list, and its order is its meaning");
  stack
    .command("draw")
    .description("check a stack and draw it: what each chunnel takes, and what holds above it")
    .argument(
      "<file>",
      'JSON, such as ["reliable", { "chunnel": "cc", "algorithm": "copa" }, "sack", "udp"]; - is stdin',
    )
    .option("--picture <file>", "draw it also as FILE.svg or FILE.png", parsePicturePath)
    .action(draw);
  stack.command("list").description("the chunnels that there are, with their options").action(list);
}
