/**
 * A bundle beside traffic that is not its own (CCP thesis 4.7.6; Bundler, Cardwell et al., EuroSys 2021): datagrams
 * that answer nothing, and flows of Cubic that fill every queue. What the bundle gets, by what is its due.
 */
import Table from "cli-table3";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { CcparkError } from "../../../core/errors.ts";
import { fromMbps, type Mbps, NANOS_PER_SEC, PACKET_BYTES, toMbps } from "../../../core/units.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { type ExperimentOption, positive, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { type Control, HOSTS, openSite, SENDBOX_ALGORITHM, siteRoute, siteScenario } from "./site.ts";

const DURATION_SEC = 90;
/** Of the bundle. */
const FLOWS = 4;
/** The bundle is there before the others come. */
const OTHERS_SEC = 10;
/** Who is on the link is seen by then. */
const SETTLED_SEC = 30;
const STEP_SEC = 0.5;
/** What is its due less a fifth. */
const LEAST_SHARE = 0.8;
const CONTROLS = ["status-quo", "bundle-sfq"] as const satisfies readonly Control[];

interface Link {
  readonly mbps: Mbps;
  readonly rttMs: number;
}

interface Rivals {
  readonly name: string;
  /** what is due to the bundle: of what the datagrams leave, a part for each flow */
  readonly dueMbps: Mbps;
  /** what is due to the other flows; 0: there are none */
  readonly othersDueMbps: Mbps;
  /** flows of others than Cubic share by rules of their own, with or without a bundle */
  readonly areUnlike: boolean;
  readonly others: Required<Pick<Scenario, "flows" | "traffic">>;
}

/** Past the sendbox. */
const ROUTE = { forward: ["forward"], reverse: ["reverse"] } as const;
const ARRIVALS = ["constant", "poisson"] as const;
const MAX_RIVALS = 100;

/** `poisson-25+cubic-2`: a quarter of the link in datagrams, and two flows of Cubic. */
function rivalsOf(name: string, { mbps }: Link): Rivals {
  const parts = name.split("+").map((part) => partOf(part));
  const datagrams = parts.flatMap((part) => ("arrivals" in part ? [part] : []));
  const rivals = parts.flatMap((part) => ("algorithm" in part ? [part] : []));
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
  const left = 100 - sum(datagrams.map(({ percent }) => percent));
  if (left <= 0) throw new CcparkError("invalid-argument", `expected datagrams of less than the link.`);
  const count = sum(rivals.map((rival) => rival.count));
  const flowMbps = (mbps * left) / 100 / (FLOWS + count);
  return {
    name,
    dueMbps: FLOWS * flowMbps,
    othersDueMbps: count * flowMbps,
    areUnlike: rivals.some(({ algorithm }) => algorithm !== HOSTS),
    others: {
      traffic: datagrams.map(({ arrivals, percent }) => ({
        kind: "datagrams",
        arrivals,
        mbps: (mbps * percent) / 100,
        route: ROUTE,
        startSec: OTHERS_SEC,
      })),
      flows: rivals.map(({ algorithm, count }, i) => ({
        id: `rival-${i}`,
        algorithm,
        count,
        startSec: OTHERS_SEC,
        startEverySec: 0.1,
        route: ROUTE,
      })),
    },
  };
}

type Part =
  | { readonly arrivals: (typeof ARRIVALS)[number]; readonly percent: number }
  | { readonly algorithm: string; readonly count: number };

function partOf(text: string): Part {
  const [, name = "", digits = ""] = /^([\w-]+)-(\d+)$/.exec(text.trim()) ?? [];
  const number = Number(digits);
  const arrivals = ARRIVALS.find((each) => each === name);
  if (arrivals !== undefined && number >= 1 && number <= 99) return { arrivals, percent: number };
  if (arrivals === undefined && name !== "" && number >= 1 && number <= MAX_RIVALS) {
    const algorithm = name === "cubic" ? HOSTS : name;
    resolveAlgorithm(algorithm);
    return { algorithm, count: number };
  }
  throw new CcparkError(
    "invalid-argument",
    `expected such as poisson-25 (percent of the link), cubic-2 (flows) or constant-20+cubic-1, got ${text}.`,
  );
}

/** Each is read before anything runs. */
const BESIDE: ExperimentOption<readonly string[]> = {
  placeholder: "traffic",
  help: "what else is on the link: poisson-25 (percent of it, as datagrams), cubic-2 (flows), constant-20+cubic-1",
  initial: ["constant-25", "poisson-25", "poisson-50", "cubic-1", "cubic-2", "cubic-4"],
  format: (names) => names.join(","),
  parse(text) {
    const names = text.split(",").map((name) => name.trim());
    for (const name of names) rivalsOf(name, { mbps: 1, rttMs: 1 });
    return names;
  },
};

interface Row {
  readonly rivals: string;
  readonly control: Control;
  readonly seed: number;
  readonly atSec: number;
  readonly mbps: Mbps;
  readonly dueMbps: Mbps;
  /** of the flows beside it, without datagrams */
  readonly othersMbps: Mbps;
  readonly bottleneckMs: number;
  readonly sendboxMs: number;
}

function* measure(
  { name, dueMbps, others }: Rivals,
  link: Link,
  {
    control,
    algorithm,
    seed,
  }: { readonly control: Control; readonly algorithm: string; readonly seed: number },
): Generator<Row> {
  const site = siteScenario({ ...link, durationSec: DURATION_SEC, control, algorithm });
  const long = { algorithm: HOSTS, count: FLOWS, startEverySec: 0.1, ...siteRoute(control) };
  const run = openSite({ ...site, ...others, flows: [long, ...others.flows] }, seed);
  const arrivedBytes = (from: number, to?: number): number => {
    const paths = run.flows.slice(from, to).map(({ path }) => path);
    for (const path of paths) path.advance(run.nowNs);
    return paths.reduce((sum, { firstArrivedPackets }) => sum + firstArrivedPackets * PACKET_BYTES, 0);
  };
  const before = { own: 0, others: 0 };
  for (let atSec = STEP_SEC; atSec <= DURATION_SEC; atSec += STEP_SEC) {
    run.runUntil(run.startNs + atSec * NANOS_PER_SEC);
    const bytes = { own: arrivedBytes(1, 1 + FLOWS), others: arrivedBytes(1 + FLOWS) };
    const mbps = toMbps((bytes.own - before.own) / STEP_SEC);
    const othersMbps = toMbps((bytes.others - before.others) / STEP_SEC);
    yield { rivals: name, control, seed, atSec, mbps, dueMbps, othersMbps, ...queuesOf(run, link) };
    Object.assign(before, bytes);
  }
  run.close();
}

/** What stands before the link, at its rate. */
function queuesOf(run: SimulatedRun, { mbps }: Link): Pick<Row, "bottleneckMs" | "sendboxMs"> {
  const msOf = (bytes: number): number => (bytes / fromMbps(mbps)) * 1000;
  const sendbox = run.bundles[0]?.queuedBytes ?? 0;
  return { bottleneckMs: msOf(run.truth.forward.queuedBytes), sendboxMs: msOf(sendbox) };
}

export const bundleCompetition: Experiment = experiment({
  name: "bundle-competition",
  summary: "a bundle beside traffic of others, which answers or does not: what it gets of what is its due",
  source: "Narayan, MIT 2022 (CCP thesis), 4.7.6; Cardwell et al., EuroSys 2021",
  options: {
    algorithm: SENDBOX_ALGORITHM,
    beside: BESIDE,
    mbps: positive(96, { help: "of the link, Mbit/s" }),
    rttMs: positive(50, { help: "of the path without a queue, ms" }),
    seeds: whole(1, { low: 1, high: 100, help: "runs of each" }),
  },
  count: ({ beside, seeds }) => (beside.length * CONTROLS.length * seeds * DURATION_SEC) / STEP_SEC,
  *run({ algorithm, beside, mbps, rttMs, seeds }): Generator<Row> {
    const link = { mbps, rttMs };
    for (const rivals of beside.map((name) => rivalsOf(name, link))) {
      for (const control of CONTROLS) {
        for (let seed = 1; seed <= seeds; seed++) {
          yield* measure(rivals, link, { control, algorithm, seed });
        }
      }
    }
  },
  describe: ({ rivals, control, seed }) => `${control} beside ${rivals}, seed ${seed}`,
  report(rows, { beside, mbps, rttMs }) {
    const all = beside.map((name) => rivalsOf(name, { mbps, rttMs }));
    const of = (
      rivals: string,
      control: Control,
      key: "mbps" | "othersMbps" | "bottleneckMs" | "sendboxMs",
    ): number =>
      mean(
        rows
          .filter((row) => row.rivals === rivals && row.control === control && row.atSec > SETTLED_SEC)
          .map((row) => row[key]),
      );
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "beside",
        "due\nMbit/s",
        "status quo\nMbit/s",
        "bundle\nMbit/s",
        "of its due",
        "others,\nof theirs",
        "bottleneck\nms",
        "sendbox\nms",
      ],
    });
    for (const { name, dueMbps, othersDueMbps } of all) {
      const [quo, bundle] = CONTROLS.map((control) => of(name, control, "mbps")) as [number, number];
      const figures = [dueMbps, quo, bundle].map((figure) => figure.toFixed(1));
      const queues = (["bottleneckMs", "sendboxMs"] as const).map((key) =>
        of(name, "bundle-sfq", key).toFixed(1),
      );
      const others =
        othersDueMbps === 0 ? "" : (of(name, "bundle-sfq", "othersMbps") / othersDueMbps).toFixed(2);
      table.push([name, ...figures, (bundle / dueMbps).toFixed(2), others, ...queues]);
    }
    const panels = all.map(({ name }) => {
      const values = rows
        .filter((row) => row.rivals === name)
        .map(({ control, atSec, mbps }) => ({ name: control, atSec, mbps }));
      const x = axis({ field: "atSec", title: "Time, s" });
      const y = axis({ field: "mbps", title: "Mbit/s" });
      return lines(CONTROLS, { title: name, values, x, y, width: 260 });
    });
    return {
      text: `${table.toString()}\nMeans after ${SETTLED_SEC} s; ${mbps} Mbit/s, ${rttMs} ms, drop-tail of 2 BDP, a bundle of ${FLOWS} flows of Cubic. Due: of what the datagrams leave, a part for each flow; where others than Cubic leave less, as much as without a bundle.\n`,
      claims: all.map(({ name, dueMbps, areUnlike }) => {
        const itsMbps = areUnlike ? Math.min(dueMbps, of(name, "status-quo", "mbps")) : dueMbps;
        return judge({
          claim: `what a bundle gets of its due beside ${name}${areUnlike ? ", or of what it gets without" : ""}`,
          published: "its fair share",
          measured: of(name, "bundle-sfq", "mbps") / itsMbps,
          unit: "1",
          threshold: { low: LEAST_SHARE },
        });
      }),
      figure: page({ title: "A bundle beside traffic of others" }, CONTROLS, panels),
    };
  },
});
