/** What the server answers, and hooks that keep it up to date. */
import { useEffect, useState } from "preact/hooks";

export interface Estimate {
  readonly mean: number;
  readonly ci95: number | null;
  readonly low?: number;
  readonly high?: number;
}

export interface Style {
  readonly light: string;
  readonly dark: string;
}
export type Styles = Readonly<Record<string, Style>>;

export interface RunEntry {
  readonly id: string;
  readonly name: string;
  readonly kind: "results" | "training" | "experiment" | "league";
  readonly title: string;
  readonly modifiedMs: number;
  readonly contenders: readonly string[];
  readonly links: readonly string[];
  readonly sentences: readonly string[];
  readonly live: boolean;
  readonly error?: string;
}

export interface LeagueRow {
  readonly algorithm: string;
  readonly links: number;
  readonly best: number;
  readonly tied: number;
  readonly rank: number;
  readonly isOnFew: boolean;
  readonly againstFirst?: { readonly links: number; readonly ahead: number; readonly behind: number };
  readonly medianLead?: number;
  readonly worst?: {
    readonly runId: string;
    readonly scenario: string;
    /** absent: it is the only link of that name */
    readonly link?: string;
    readonly text: string;
  };
}

export interface Overview {
  readonly runs: readonly RunEntry[];
  readonly league: { readonly by: string; readonly rows: readonly LeagueRow[] };
  readonly styles: Styles;
}

export interface Column {
  readonly quantity: string;
  readonly title: string;
  readonly unit: string;
  readonly factor: number;
  readonly digits: number;
}

export interface Row {
  readonly scenario: string;
  readonly link: string;
  readonly algorithm: string;
  /** false: a reference, or one that leaves the link unused or floods it */
  readonly ranked: boolean;
  readonly hasSeveralFlows: boolean;
  readonly values: Readonly<Record<string, Estimate | null>>;
  readonly standing: Readonly<Record<string, "best" | "tied" | "none">>;
}

/** How to read a table of results. */
export interface TableKey {
  readonly cells: string;
  readonly ties: string;
  readonly delays: string;
  readonly severalFlows: string;
  readonly whole: string;
}

/** A row of an evaluation: what decided it. */
export interface RowLine {
  readonly row: string;
  readonly section: string;
  readonly level: string;
  readonly requirement: string;
  readonly verdict: "pass" | "fail" | "not run";
  readonly quantity?: string;
  readonly measured?: string;
  readonly threshold?: string;
  readonly why?: string;
}

/** An evaluation of a training on its validation links. */
export interface ValidationPoint {
  readonly steps: number;
  readonly score: number | null;
  /** score of each algorithm on the same links */
  readonly baselines: Readonly<Record<string, number | null>>;
}

export interface Run {
  readonly entry: RunEntry;
  readonly styles: Styles;
  /** the folder has a page of its own */
  readonly hasReport: boolean;
  /** of results */
  readonly headline?: string;
  readonly command?: string;
  readonly columns?: readonly Column[];
  /** that some links have beside them: of flows in company, of transfers, of one's own */
  readonly linkColumns?: readonly Column[];
  readonly key?: TableKey;
  readonly rows?: readonly Row[];
  readonly exports?: readonly { readonly scenario: string; readonly file: string }[];
  /** of a training, also of one that was then compared with others */
  readonly progress?: readonly Readonly<Record<string, unknown>>[];
  readonly validation?: readonly ValidationPoint[];
  /** of an experiment */
  readonly report?: string;
  readonly pictures?: readonly string[];
  readonly evaluation?: readonly RowLine[];
}

/** Two runs on one link. */
export interface Difference {
  readonly answer: string;
  /** absent: the links differ, nothing is judged */
  readonly rule?: string;
  /** contender -> quantities */
  readonly differing: Readonly<Record<string, readonly string[]>>;
  readonly references: readonly string[];
}

export type NumberList = readonly (number | null)[];

export interface SeriesEntry {
  readonly scenario: string;
  readonly algorithm: string;
  readonly seed: number;
  readonly timeSec: readonly number[];
  readonly throughputMbps: NumberList;
  readonly capacityMbps: NumberList;
  readonly queueDelayMs: NumberList;
  readonly cwndPackets: NumberList;
}

export interface FlowCourse {
  readonly flow: string;
  readonly timeSec: readonly number[];
  readonly cwndPackets: NumberList;
  readonly rateMbps: NumberList;
  readonly rttMs: NumberList;
  readonly queueDelayMs: NumberList;
  readonly inflightPackets: NumberList;
  readonly lostSec: readonly number[];
}

export function address(path: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Counts changes of any run folder. */
let changes = 0;
const listeners = new Set<() => void>();
const source = new EventSource("/api/watch");
source.addEventListener("changed", () => {
  changes++;
  for (const listener of listeners) listener();
});

export interface Loaded<T> {
  readonly value?: T;
  readonly error?: string;
}

/** Undefined: nothing to load. What was loaded stays while it is loaded anew. */
export function useJson<T>(url: string | undefined): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly url?: string }>({});
  const [version, setVersion] = useState(changes);
  useEffect(() => {
    const listener = (): void => setVersion(changes);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  useEffect(() => {
    if (url === undefined) return;
    let isWanted = true;
    const load = async (): Promise<void> => {
      const response = await fetch(url);
      const body = await response.json();
      if (!isWanted) return;
      setLoaded(response.ok ? { url, value: body as T } : { url, error: (body as { error: string }).error });
    };
    load().catch((error: Error) => isWanted && setLoaded({ url, error: error.message }));
    return () => {
      isWanted = false;
    };
  }, [url, version]);
  return loaded.url === url ? loaded : {};
}
