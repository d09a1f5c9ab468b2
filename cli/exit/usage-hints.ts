/** What helps beside commander's messages about a command line: a line below them. */
import type { Command } from "commander";

/** More commands than these have an option in common: none of them is meant. */
const MAX_TAKING = 3;

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Commands that take an option: of a group its own, of a command those beside it. */
function taking(option: string, command: Command): Command[] {
  const { commands } = command.commands.length > 0 ? command : (command.parent ?? command);
  const all = commands.flatMap((each) => [each, ...each.commands]);
  return all.filter((each) => each !== command && each.options.some(({ long }) => long === option));
}

/** @returns a sentence with its line end; empty: there is nothing to say */
function hint(message: string, command: Command): string {
  if (message.startsWith("error: too many arguments"))
    return command.options.some(({ long }) => long === "--algorithms")
      ? "a list has commas and no spaces, such as --algorithms cubic,bbr\n"
      : "";
  const [, missing] = /^error: required option '(--[\w-]+)/.exec(message) ?? [];
  if (missing !== undefined)
    return command.args[0] === undefined ? "" : `\`${command.args[0]}\`: expected it after ${missing}\n`;
  if (message.includes("Did you mean")) return "";
  if (message.startsWith("error: unknown command") && command.parent !== null)
    return `commands of \`${pathOf(command)}\`: ${command.commands.map((each) => each.name()).join(", ")}\n`;
  const [, option] = /^error: unknown option '(--[^'=]+)/.exec(message) ?? [];
  if (option === undefined) return "";
  const takers = taking(option, command);
  if (takers.length === 0 || takers.length > MAX_TAKING) return "";
  const verb = takers.length === 1 ? "takes" : "take";
  return `${takers.map((each) => `\`${pathOf(each)}\``).join(", ")} ${verb} ${option}\n`;
}

/** Adds such lines to the messages of a command and of those below it. */
export function addUsageHints(command: Command): void {
  command.configureOutput({
    outputError: (text, write) => {
      write(text);
      write(hint(text, command));
    },
  });
  for (const each of command.commands) addUsageHints(each);
}
