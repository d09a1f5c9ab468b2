/** `ccpark flows`: the flows of a server that runs (`ccpark serve`), or of a CCP agent: list them, watch one, move one, end some. */
import { type Command, Option } from "commander";
import { CcparkError } from "../../../core/errors.ts";
import { BAND_NAMES } from "../../../flows/bands.ts";
import { SCOPES, type Scope } from "../../../flows/directory.ts";
import { printErr, printOut, stopOnInterrupt } from "../../console.ts";
import { parseList, parsePositive, parseWhole } from "../../options.ts";
import {
  DEFAULT_ADDRESS,
  type FlowSource,
  type SourceOptions,
  type Watched,
  withFlows,
} from "./flow-source.ts";

interface FlowsOptions extends SourceOptions {
  readonly json?: true;
}

interface ListOptions extends FlowsOptions {
  readonly scope: Scope;
  readonly of?: string;
  readonly limit?: number;
}

interface WatchOptions extends FlowsOptions {
  readonly band?: readonly string[];
  readonly queue?: number;
  readonly reports?: number;
  readonly duration?: number;
}

interface MoveOptions extends FlowsOptions {
  readonly forward?: string;
  readonly reverse?: string;
}

/** flows that an error names, so that one sees what a pattern could have been */
const NAMED_FLOWS = 3;

/** One sentence for a pattern that no flow matches, with what there is to match. */
async function noneMatches(source: Pick<FlowSource, "list">, pattern: string): Promise<string> {
  const { flows, total } = await source.list(undefined);
  if (total === 0) return `no flow matches \`${pattern}\`: there are no flows`;
  const names = flows.slice(0, NAMED_FLOWS).map(({ name }) => name);
  const others = total > names.length ? ` and ${total - names.length} more` : "";
  return `no flow matches \`${pattern}\`; there are: ${names.join(", ")}${others}`;
}

async function list(pattern: string | undefined, options: ListOptions): Promise<void> {
  const { scope, of, limit, json } = options;
  await withFlows(options, async ({ kind, kindOf, more, ...source }) => {
    const lookup = { scope, ...(of !== undefined && { of }), ...(limit !== undefined && { limit }) };
    const { flows, total } = await source.list(pattern, lookup);
    if (json) {
      for (const flow of flows) printOut(`${JSON.stringify(flow)}\n`);
    } else {
      const width = Math.max(4, ...flows.map(({ name }) => name.length));
      if (flows.length > 0) printOut(`${"handle".padEnd(34)}  ${"name".padEnd(width)}  observers  ${kind}\n`);
      for (const flow of flows) {
        const { handle, name, observers } = flow;
        printOut(`${handle}  ${name.padEnd(width)}  ${String(observers).padStart(9)}  ${kindOf(flow)}\n`);
      }
      if (flows.length === 0) {
        printErr(pattern === undefined ? "no flows\n" : `${await noneMatches(source, pattern)}\n`);
      }
    }
    if (total > flows.length) printErr(`${total - flows.length} more; ${more}\n`);
  });
}

/** Numbers in whole units; what is grouped in an object, such as values of a program, stands as NAME VALUE, too. */
function factsOf(body: object): string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    if (typeof value === "object" && value !== null) return factsOf(value);
    return [`${name} ${typeof value === "number" ? Math.round(value) : value}`];
  });
}

function itemText({ report, overflow }: Watched, isJson: boolean): string {
  if (isJson) return JSON.stringify(report === undefined ? { overflow } : report);
  if (report === undefined) {
    return `${overflow!.overwritten} of ${overflow!.received} reports were overwritten before they were read`;
  }
  const { band, timeUs, body } = report;
  return `${(timeUs / 1e6).toFixed(3)} s  ${band.padEnd(11)}  ${factsOf(body).join(", ")}`;
}

async function watch(handle: string, options: WatchOptions): Promise<void> {
  const { band, queue, reports, duration, json } = options;
  const stop = new AbortController();
  stopOnInterrupt(() => stop.abort());
  // what is watched keeps the process alive, not the timer
  if (duration !== undefined) setTimeout(() => stop.abort(), duration * 1000).unref();
  await withFlows(options, async (source) => {
    let count = 0;
    const { signal } = stop;
    const wanted = { ...(band !== undefined && { bands: band }), ...(queue !== undefined && { queue }) };
    for await (const item of source.watch(handle, { ...wanted, signal })) {
      printOut(`${itemText(item, json === true)}\n`);
      if (item.report === undefined) continue;
      count += 1;
      if (count === reports) return;
    }
    if (!signal.aborted && json !== true) printErr(`flow ${handle} has ended\n`);
  });
}

async function move(handle: string, options: MoveOptions): Promise<void> {
  const { forward = "forward", reverse = "reverse", json } = options;
  await withFlows(options, (source) => source.move(handle, { forward, reverse }));
  const moved = { moved: handle, forward, reverse };
  printOut(json ? `${JSON.stringify(moved)}\n` : `moved ${handle} to ${forward} and ${reverse}\n`);
}

async function kill(patterns: readonly string[], options: FlowsOptions): Promise<void> {
  await withFlows(options, async (source) => {
    for (const pattern of patterns) {
      let killed = 0;
      let left: number;
      // more than are listed at once: those that are killed make room; those that begin meanwhile need not be ended
      let most = Number.POSITIVE_INFINITY;
      do {
        const { flows, total } = await source.list(
          pattern,
          options.agent === undefined ? { limit: 10_000 } : {},
        );
        most = Math.min(most, total);
        for (const { handle, name } of flows) {
          await source.kill(handle);
          printOut(
            options.json ? `${JSON.stringify({ killed: handle, name })}\n` : `killed ${handle}  ${name}\n`,
          );
        }
        killed += flows.length;
        left = flows.length === 0 ? 0 : most - killed;
      } while (left > 0);
      if (killed === 0) throw new CcparkError("not-found", `[flows] ${await noneMatches(source, pattern)}`);
    }
  });
}

function withSourceOptions(command: Command): Command {
  return command
    .optionsGroup("Server:")
    .option("--address <host:port>", `where \`ccpark serve\` listens (default: ${DEFAULT_ADDRESS})`)
    .addOption(
      new Option("--port <n>", "the same on 127.0.0.1, by its port").argParser(parseWhole(1, 65_535)),
    )
    .option("--tls", "over TLS, with the system's authorities")
    .option("--tls-ca <file>", "over TLS, with this authority, PEM")
    .option("--token-file <file>", "file with the bearer token alone")
    .optionsGroup("Agent:")
    .option("--agent <socket>", "instead of a server: a `ccpark agent`, by the socket of its --control")
    .optionsGroup("Output:")
    .option("--json", "JSON Lines");
}

const EXAMPLES = `
  ccpark flows list 'f3a1*/0/*'            flows of one environment of a session
  ccpark flows list --scope bottleneck --of HANDLE
  ccpark flows watch HANDLE --band fault   losses and timeouts alone; nothing else is produced
  ccpark flows move HANDLE --forward away --reverse away-back
  ccpark flows kill '*/3/*'                the flows of everybody's fourth environment
  ccpark flows watch HANDLE --agent /tmp/ccp/control

Watching is read-only: what the session computes is the same, to the byte. A killed flow's handle is gone at once, its
environment's episode is truncated by the next step, and the next episode has a new handle; an agent gives a flow up, and its
datapath goes on as it was told. docs/flows.md tells the rest.`;

export function addFlows(program: Command): void {
  const flows = program
    .command("flows")
    .description("flows of a server or an agent that runs, under their handles: list, watch, move, kill")
    .addHelpText("after", EXAMPLES);
  withSourceOptions(
    flows
      .command("list")
      .description("flows by name or handle")
      .argument("[pattern]", "of names or handles, with * and ? (default: all)")
      .addOption(
        new Option("--scope <scope>", "whose: of the same owner, host, bottleneck, or all")
          .choices(Object.keys(SCOPES))
          .default("all"),
      )
      .option("--of <handle>", "the flow that the scope is about")
      .addOption(new Option("--limit <n>", "of the list (default: 1000)").argParser(parseWhole(1, 10_000))),
  ).action(list);
  withSourceOptions(
    flows
      .command("watch")
      .description("reports of one flow as it runs, until it ends or Ctrl-C")
      .argument("<handle>", "as `ccpark flows list` prints it")
      .addOption(
        new Option(
          "--band <names>",
          `of ${BAND_NAMES.join(", ")}, separated by commas (default: all)`,
        ).argParser(parseList),
      )
      .addOption(
        new Option("--queue <n>", "reports that wait for a slow reader, the newest (default: 64)").argParser(
          parseWhole(1, 65_536),
        ),
      )
      .addOption(new Option("--reports <n>", "end after so many reports").argParser(parseWhole(1, 1e9)))
      .option("--duration <sec>", "end after so many seconds", parsePositive),
  ).action(watch);
  withSourceOptions(
    flows
      .command("move")
      .description("let a flow go on over other links of its scenario, under the same handle")
      .argument("<handle>", "as `ccpark flows list` prints it")
      .option("--forward <link>", "where its route says `forward` (default: forward)")
      .option("--reverse <link>", "where its route says `reverse` (default: reverse)"),
  ).action(move);
  withSourceOptions(
    flows
      .command("kill")
      .description(
        "end flows: their handles are gone, and their episodes are truncated by the next step, or their agent gives them up",
      )
      .argument("<patterns...>", "handles or names, with * and ?"),
  ).action(kill);
}
