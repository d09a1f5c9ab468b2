/** `ccpark completion`: a script that completes commands, options and their choices in a shell, made from the commands themselves. */
import { Argument, type Command } from "commander";
import { printOut } from "../console.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

interface Completed {
  /** names of the commands that lead here: none for the program itself */
  readonly path: readonly string[];
  readonly options: readonly CompletedOption[];
  /** of arguments, and commands below it */
  readonly words: readonly { readonly word: string; readonly summary: string }[];
}

interface CompletedOption {
  readonly long: string;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** The command and all below it. */
function completed(command: Command, path: readonly string[] = []): Completed[] {
  const options = command.options.flatMap(
    ({ long, description, argChoices = [], required, optional }): CompletedOption[] =>
      long == null
        ? []
        : [{ long, summary: description, takesValue: required || optional, choices: argChoices }],
  );
  const help = { long: "--help", summary: "what there is", takesValue: false, choices: [] };
  const below = command.commands.map((each) => ({ word: each.name(), summary: each.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const own: Completed = {
    path,
    options: [...options, help],
    words: [...below, ...choices.map((word) => ({ word, summary: "" }))],
  };
  return [own, ...command.commands.flatMap((each) => completed(each, [...path, each.name()]))];
}

/** Without what a shell would expand or end a text at. */
const plain = (text: string): string => text.replace(/[`'"\\$]/g, "");

/** zsh reads it too, by its own emulation. */
function bashScript(commands: readonly Completed[]): string {
  const keyOf = ({ path }: Completed): string => path.map((name) => `/${name}`).join("");
  const values = commands.flatMap((command) =>
    command.options.flatMap(({ long, choices, takesValue }) => {
      if (choices.length > 0) return [`    "${keyOf(command)} ${long}") words="${choices.join(" ")}" ;;`];
      return takesValue ? [`    "${keyOf(command)} ${long}") words="" ;;`] : [];
    }),
  );
  const names = commands.map((command) => {
    const all = [...command.words.map(({ word }) => word), ...command.options.map(({ long }) => long)];
    return `      "${keyOf(command)}") words="${all.join(" ")}" ;;`;
  });
  const paths = commands.slice(1).map((command) => `"${keyOf(command)}"`);
  return `_ccpark() {
  local words="" at="" i=1 current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  while [ "$i" -lt "$COMP_CWORD" ]; do
    case "$at/\${COMP_WORDS[i]}" in
      ${paths.join("|")}) at="$at/\${COMP_WORDS[i]}" ;;
    esac
    i=$((i + 1))
  done
  case "$at $previous" in
${values.join("\n")}
    *) case "$at" in
${names.join("\n")}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ccpark ccpark
`;
}

/** Whether fish is at a command, and at none below it. */
function fishCondition({ path }: Completed, commands: readonly Completed[]): string {
  const below = commands.filter(
    (each) => each.path.length === path.length + 1 && path.every((name, i) => each.path[i] === name),
  );
  const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const names = below.map((each) => each.path.at(-1)!).join(" ");
  return [...seen, ...(below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names}`])].join(
    "; and ",
  );
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap((command) => {
    const { words, options } = command;
    const begin = `complete -c ccpark -n '${fishCondition(command, commands)}'`;
    return [
      ...words.map(({ word, summary }) => `${begin} -f -a ${word} -d '${plain(summary)}'`),
      ...options.map(({ long, summary, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a '${choices.join(" ")}'` : takesValue ? " -r" : "";
        return `${begin} -l ${long.slice(2)}${value} -d '${plain(summary)}'`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}

/** compinit is what completes in zsh; who has not called it yet has it called. */
const ZSH_HEAD = `(( $+functions[compdef] )) || { autoload -U compinit && compinit -i }
autoload -U +X bashcompinit && bashcompinit
`;

export function completionScript(program: Command, shell: Shell): string {
  const commands = completed(program);
  if (shell === "fish") return fishScript(commands);
  const bash = bashScript(commands);
  return shell === "bash" ? bash : `${ZSH_HEAD}${bash}`;
}

const HELP = `
  bash   source <(ccpark completion bash)           in ~/.bashrc
  zsh    source <(ccpark completion zsh)            in ~/.zshrc
  fish   ccpark completion fish | source            in ~/.config/fish/config.fish`;

/** After all other commands, which it completes. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "which one").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => printOut(completionScript(program, shell)));
}
