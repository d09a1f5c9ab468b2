/** `ccpark completion`: a script that completes commands, options and their choices in a shell, made from the commands themselves. */
import { Argument, type Command } from "commander";
import { printOut } from "../console.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly long: string; readonly summary: string }[];
  /** of arguments, and names of commands below it */
  readonly words: readonly string[];
}

function completed(command: Command): Completed {
  return {
    name: command.name(),
    summary: command.description(),
    options: command.options.flatMap(({ long, description }) =>
      long == null ? [] : [{ long, summary: description }],
    ),
    words: [
      ...command.commands.map((each) => each.name()),
      ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    ],
  };
}

/** Without what a shell would expand or end a text at. */
const plain = (text: string): string => text.replace(/[`'"\\$]/g, "");

/** zsh reads it too, by its own emulation. */
function bashScript(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options, words }) => {
    const all = [...words, ...options.map(({ long }) => long), "--help"];
    return `    ${name}) words="${all.join(" ")}" ;;`;
  });
  return `_ccpark() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_CWORD}:\${COMP_WORDS[1]}" in
    1:*) words="${commands.map(({ name }) => name).join(" ")} --help --version" ;;
    *:*) case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ccpark ccpark
`;
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, summary, options, words }) => [
    `complete -c ccpark -n __fish_use_subcommand -a ${name} -d '${plain(summary)}'`,
    ...words.map((word) => `complete -c ccpark -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
    ...options.map(
      (option) =>
        `complete -c ccpark -n '__fish_seen_subcommand_from ${name}' -l ${option.long.slice(2)} -d '${plain(option.summary)}'`,
    ),
  ]);
  return `${lines.join("\n")}\n`;
}

export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(completed);
  if (shell === "fish") return fishScript(commands);
  const bash = bashScript(commands);
  return shell === "bash" ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

const HELP = `
  bash   source <(ccpark completion bash)           in ~/.bashrc
  zsh    source <(ccpark completion zsh)            in ~/.zshrc, after compinit
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
