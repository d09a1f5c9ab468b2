/**
 * When is it decided what to send? With `late` when the network can take it: as many aggregates as it takes, each fresh. With
 * a buffer when there is something to say: what waits grows stale, whatever the buffer drops.
 */
import Table from "cli-table3";
import { fromMbps } from "../../../core/units.ts";
import { buffer, cc, late, memory, sack, stack } from "../../../transport/index.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { Nodes, numberAt, numbersMessage, P2_SOURCE, quantile } from "./nodes.ts";

const CHOICES = ["late", "buffer, drop-oldest", "buffer, drop-newest", "buffer, replace"] as const;
type Choice = (typeof CHOICES)[number];

const BYTES = 500;
const QUEUE_PACKETS = 4;
const DURATION_SEC = 30;

interface Row {
  readonly choice: Choice;
  readonly seed: number;
  /** messages that arrived, and how old what they said was then */
  readonly arrived: number;
  readonly changes: number;
  readonly meanMs: number;
  readonly p95Ms: number;
}

function stackOf(choice: Choice, maxMessages: number): readonly ChunnelSpec[] {
  const window = cc({ algorithm: "reno", mssBytes: BYTES });
  if (choice === "late") return stack(late(), window, sack(), memory());
  const policy = choice.slice("buffer, ".length) as "drop-oldest" | "drop-newest" | "replace";
  return stack(buffer({ maxMessages, policy }), window, sack(), memory());
}

function runChoice(choice: Choice, seed: number, mbps: number, maxMessages: number): Row {
  const nodes: Nodes = new Nodes(seed, (from) =>
    from === "sender"
      ? { delayUs: 20_000, rateBytesPerSec: fromMbps(mbps), queueBytes: QUEUE_PACKETS * BYTES }
      : { delayUs: 20_000 },
  );
  const chunnels = stackOf(choice, maxMessages);
  const agesMs: number[] = [];
  nodes.add("receiver", chunnels, {
    receive: (messages) => {
      for (const message of messages) {
        const { data } = message;
        const plain = typeof data === "function" ? { data: data() } : message;
        agesMs.push((nodes.clock.nowUs - numberAt(plain, 0)) / 1000);
      }
    },
  });
  const sender = nodes.add("sender", chunnels, { receive: () => {} });
  let changedUs = 0;
  let changes = 0;
  const gaps = nodes.fork("changes");
  const change = (): void => {
    if (nodes.clock.nowUs > DURATION_SEC * 1e6) return;
    changedUs = nodes.clock.nowUs;
    changes++;
    const said = (): Uint8Array => numbersMessage([changedUs], BYTES).data as Uint8Array;
    sender.send([{ data: choice === "late" ? said : said(), key: "state", to: "receiver" }]);
    nodes.clock.wakeAt(nodes.clock.nowUs + gaps.uniform(2_000, 8_000), change);
  };
  change();
  nodes.clock.run((DURATION_SEC + 5) * 1e6);
  return {
    choice,
    seed,
    arrived: agesMs.length,
    changes,
    meanMs: mean(agesMs),
    p95Ms: quantile(agesMs, 0.95),
  };
}

export const p2LateChoice: Experiment = experiment({
  name: "p2-late-choice",
  summary: "what to say is chosen when the network can take it, or waits in a buffer and grows stale",
  source: P2_SOURCE,
  options: {
    mbps: positive(0.2, { help: "rate of the link, Mbit/s; what changes would fill 0.8" }),
    buffer: whole(16, { low: 1, high: 10_000, help: "messages that the buffer holds" }),
    seeds: seeds(5),
  },
  count: ({ seeds: list }) => CHOICES.length * list.length,
  *run({ mbps, buffer: maxMessages, seeds: list }) {
    for (const choice of CHOICES) for (const seed of list) yield runChoice(choice, seed, mbps, maxMessages);
  },
  describe: ({ choice, seed }) => `${choice}, seed ${seed}`,
  report(rows, { mbps, buffer: maxMessages, seeds: list }) {
    const table = new Table({ ...PLAIN_TABLE, head: ["choice", "changes", "arrived", "age ms", "p95 ms"] });
    const facts = (choice: Choice) => {
      const of = rows.filter((row) => row.choice === choice);
      return {
        changes: mean(of.map((row) => row.changes)),
        arrived: mean(of.map((row) => row.arrived)),
        meanMs: mean(of.map((row) => row.meanMs)),
        p95Ms: mean(of.map((row) => row.p95Ms)),
      };
    };
    for (const choice of CHOICES) {
      const { changes, arrived, meanMs, p95Ms } = facts(choice);
      table.push([choice, changes.toFixed(0), arrived.toFixed(0), meanMs.toFixed(1), p95Ms.toFixed(1)]);
    }
    const most = (fromMbps(mbps) * DURATION_SEC) / BYTES;
    const values = rows.map(({ choice, seed, meanMs }) => ({ name: choice, seed, meanMs }));
    return {
      text: `${table.toString()}\n${mbps} Mbit/s, a buffer of ${maxMessages}, ${DURATION_SEC} s, means over ${list.length} seeds.\n`,
      claims: [
        judge({
          claim: "aggregates sent, of what the link takes",
          published: "what the network takes",
          measured: facts("late").arrived / most,
          unit: "1",
          threshold: { low: 0.85, high: 1.05 },
        }),
        judge({
          claim: "age, late over drop-oldest",
          published: "fresher",
          measured: facts("late").meanMs / facts("buffer, drop-oldest").meanMs,
          unit: "1",
          threshold: { high: 0.9 },
        }),
      ],
      summary: Object.fromEntries(CHOICES.map((choice) => [choice, facts(choice)])),
      figure: page(
        { title: "How old is what arrives?", subtitle: [`a buffer of ${maxMessages} messages`] },
        CHOICES,
        [
          lines(CHOICES, {
            title: "Mean age by seed",
            values,
            x: axis({ field: "seed", title: "Seed" }),
            y: axis({ field: "meanMs", title: "Milliseconds" }),
          }),
        ],
      ),
    };
  },
});
