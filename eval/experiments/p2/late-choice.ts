/**
 * When is it decided what to send? A host tells another of variables that change all the time, faster than the link takes a message
 * for each change. With `late` the network asks when it can take a message: what is said is then an aggregate, all that has changed
 * since the message before. With a buffer each change is a message when it happens: what waits grows stale, whatever the buffer drops,
 * and where a newer value replaces the one that waits, each variable still has to wait for its turn.
 */

import Table from "cli-table3";
import { fromMbps } from "../../../core/units.ts";
import { buffer, cc, late, memory, sack, stack } from "../../../transport/index.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { Nodes, numberAt, numbersMessage, P2_SOURCE, quantile } from "./nodes.ts";

const CHOICES = ["late", "buffer, drop-oldest", "buffer, drop-newest", "buffer, replace"] as const;
type Choice = (typeof CHOICES)[number];

const BYTES = 500;
/** what an aggregate has room for: a number for the variable, one for when it got its value */
const MOST_IN_ONE = 30;
const QUEUE_PACKETS = 4;
const DURATION_SEC = 30;
/** The receiver's view is looked at so often, after the first second. */
const LOOK_US = 10_000;

interface Row {
  readonly choice: Choice;
  readonly seed: number;
  /** messages that arrived, and changes that they told of */
  readonly arrived: number;
  readonly told: number;
  readonly changes: number;
  /** how old what a message said was on its arrival */
  readonly ageMs: number;
  /** how long what the receiver takes for a variable's value has been no longer so, over variables and time */
  readonly staleMs: number;
  readonly p95StaleMs: number;
}

function stackOf(choice: Choice, maxMessages: number): readonly ChunnelSpec[] {
  const window = cc({ algorithm: "reno", mssBytes: BYTES });
  if (choice === "late") return stack(late(), window, sack(), memory());
  const policy = choice.slice("buffer, ".length) as "drop-oldest" | "drop-newest" | "replace";
  return stack(buffer({ maxMessages, policy }), window, sack(), memory());
}

/** A variable: when it changed, and up to which of these changes the receiver knows it. */
class Variable {
  readonly changesUs: number[] = [];
  #known = -1;

  learn(changedUs: number): void {
    while (this.#known + 1 < this.changesUs.length && this.changesUs[this.#known + 1]! <= changedUs)
      this.#known++;
  }

  /** So long the receiver has been wrong about it. */
  staleUs(nowUs: number): number {
    return nowUs - (this.changesUs[this.#known + 1] ?? nowUs);
  }
}

interface Link {
  readonly mbps: number;
  readonly maxMessages: number;
  readonly variables: number;
}

function runChoice(choice: Choice, seed: number, { mbps, maxMessages, variables: count }: Link): Row {
  const nodes: Nodes = new Nodes(seed, (from) =>
    from === "sender"
      ? { delayUs: 20_000, rateBytesPerSec: fromMbps(mbps), queueBytes: QUEUE_PACKETS * BYTES }
      : { delayUs: 20_000 },
  );
  const chunnels = stackOf(choice, maxMessages);
  const { clock } = nodes;
  const variables = Array.from({ length: count }, () => new Variable());
  const agesMs: number[] = [];
  let told = 0;
  nodes.add("receiver", chunnels, {
    receive: (messages) => {
      for (const { data } of messages) {
        const plain = { data: typeof data === "function" ? data() : data };
        const items = numberAt(plain, 0);
        let newestUs = 0;
        for (let i = 0; i < items; i++) {
          const changedUs = numberAt(plain, 2 + 2 * i);
          variables[numberAt(plain, 1 + 2 * i)]!.learn(changedUs);
          newestUs = Math.max(newestUs, changedUs);
        }
        told += items;
        agesMs.push((clock.nowUs - newestUs) / 1000);
      }
    },
  });
  const sender = nodes.add("sender", chunnels, { receive: () => {} });
  /** changed since the message before */
  const fresh = new Set<number>();
  const aggregate = (): Uint8Array | undefined => {
    const said = [...fresh].slice(0, MOST_IN_ONE);
    for (const i of said) fresh.delete(i);
    return said.length === 0 ? undefined : say(said);
  };
  const say = (which: readonly number[]): Uint8Array => {
    const items = which.flatMap((i) => [i, variables[i]!.changesUs.at(-1)!]);
    return numbersMessage([which.length, ...items], BYTES).data as Uint8Array;
  };
  const draws = nodes.fork("changes");
  let changes = 0;
  const change = (): void => {
    if (clock.nowUs > DURATION_SEC * 1e6) return;
    const i = draws.integer(count);
    variables[i]!.changesUs.push(clock.nowUs);
    changes++;
    fresh.add(i);
    const isLate = choice === "late";
    sender.send([
      { data: isLate ? aggregate : say([i]), key: isLate ? "changes" : String(i), to: "receiver" },
    ]);
    clock.wakeAt(clock.nowUs + draws.uniform(2_000, 8_000), change);
  };
  change();
  const staleMs: number[] = [];
  for (let atUs = 1e6; atUs <= DURATION_SEC * 1e6; atUs += LOOK_US) {
    clock.wakeAt(atUs, () => {
      for (const variable of variables) staleMs.push(variable.staleUs(clock.nowUs) / 1000);
    });
  }
  clock.run((DURATION_SEC + 5) * 1e6);
  return {
    choice,
    seed,
    arrived: agesMs.length,
    told,
    changes,
    ageMs: mean(agesMs),
    staleMs: mean(staleMs),
    p95StaleMs: quantile(staleMs, 0.95),
  };
}

export const p2LateChoice: Experiment = experiment({
  name: "p2-late-choice",
  summary: "what to say is chosen when the network can take it, or waits in a buffer and grows stale",
  source: P2_SOURCE,
  options: {
    mbps: positive(0.2, { help: "rate of the link, Mbit/s; a message for each change would fill 0.8" }),
    buffer: whole(16, { low: 1, high: 10_000, help: "messages that the buffer holds" }),
    variables: whole(16, { low: 1, high: MOST_IN_ONE, help: "what changes, one at a time" }),
    seeds: seeds(5),
  },
  count: ({ seeds: list }) => CHOICES.length * list.length,
  *run({ mbps, buffer: maxMessages, variables, seeds: list }) {
    for (const choice of CHOICES)
      for (const seed of list) yield runChoice(choice, seed, { mbps, maxMessages, variables });
  },
  describe: ({ choice, seed }) => `${choice}, seed ${seed}`,
  report(rows, { mbps, buffer: maxMessages, variables, seeds: list }) {
    const head = ["choice", "changes", "told", "messages", "age ms", "stale ms", "p95 ms"];
    const table = new Table({ ...PLAIN_TABLE, head });
    const facts = (choice: Choice) => {
      const of = rows.filter((row) => row.choice === choice);
      const meanOf = (value: (row: Row) => number): number => mean(of.map(value));
      return {
        changes: meanOf((row) => row.changes),
        told: meanOf((row) => row.told),
        arrived: meanOf((row) => row.arrived),
        ageMs: meanOf((row) => row.ageMs),
        staleMs: meanOf((row) => row.staleMs),
        p95StaleMs: meanOf((row) => row.p95StaleMs),
      };
    };
    for (const choice of CHOICES) {
      const { changes, told, arrived, ageMs, staleMs, p95StaleMs } = facts(choice);
      const numbers = [changes, told, arrived].map((value) => value.toFixed(0));
      table.push([choice, ...numbers, ...[ageMs, staleMs, p95StaleMs].map((value) => value.toFixed(1))]);
    }
    const most = (fromMbps(mbps) * DURATION_SEC) / BYTES;
    const values = rows.map(({ choice, seed, staleMs }) => ({ name: choice, seed, staleMs }));
    const [, ...buffers] = CHOICES;
    const best = Math.min(...buffers.map((choice) => facts(choice).staleMs));
    return {
      text: `${table.toString()}\n${mbps} Mbit/s, ${variables} variables, a buffer of ${maxMessages}, ${DURATION_SEC} s, means over ${seedsText(list.length)}.\n`,
      claims: [
        judge({
          claim: "aggregates sent, of what the link takes",
          published: "what the network takes",
          measured: facts("late").arrived / most,
          unit: "1",
          threshold: { low: 0.85, high: 1.05 },
        }),
        judge({
          claim: "age of what arrives, late over drop-oldest",
          published: "fresher",
          measured: facts("late").ageMs / facts("buffer, drop-oldest").ageMs,
          unit: "1",
          threshold: { high: 0.9 },
        }),
        judge({
          claim: "staleness of what the receiver knows, late over the best buffer",
          published: "less",
          measured: facts("late").staleMs / best,
          unit: "1",
          threshold: { high: 0.9 },
        }),
      ],
      summary: Object.fromEntries(CHOICES.map((choice) => [choice, facts(choice)])),
      figure: page(
        { title: "For how long is the receiver wrong?", subtitle: [`a buffer of ${maxMessages} messages`] },
        CHOICES,
        [
          lines(CHOICES, {
            title: "Mean over variables and time, by seed",
            values,
            x: axis({ field: "seed", title: "Seed" }),
            y: axis({ field: "staleMs", title: "Milliseconds" }),
          }),
        ],
      ),
    };
  },
});
