/**
 * The server of `ccpark ui`: one page over run folders, on a loopback address. It reads those folders and nothing else, writes
 * nothing, and answers only requests that name it by a loopback address, so that no page from elsewhere can ask it through a browser.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import { isReference } from "../contenders/contender.ts";
import { KINDS, plotOf, SIZES } from "../plots/plot.ts";
import { FORMATS, type Format, MEDIA_TYPES, plotFile } from "../plots/plot-files.ts";
import { readResults, readSeries, readSummary } from "../plots/saved-results.ts";
import { COLUMNS, columnsOf, tiesText } from "../report/columns.ts";
import { styleContenders } from "../report/palette.ts";
import { barredBy, standingIn } from "../verdicts/standing.ts";
import { cellsText, DELAYS_TEXT, SEVERAL_FLOWS_TEXT, tableKey } from "../verdicts/table-key.ts";
import { headlineColumn } from "../verdicts/verdicts.ts";
import { differenceOf } from "./difference.ts";
import { evaluationOf } from "./evaluation.ts";
import { jsonLinesOf } from "./json-lines.ts";
import { leagueOf, leagueReport } from "./league.ts";
import { pageAssets } from "./page-assets.ts";
import { qlogCourses } from "./qlog-courses.ts";
import { RunFolders } from "./run-folders.ts";
import { runLinks } from "./run-links.ts";
import { evaluationsOf } from "./training-facts.ts";

export const LOOPBACK = "127.0.0.1";
/** How often folders are looked at for those who watch. */
const WATCH_MS = 1000;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ccpark</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body><div id="app"></div><script type="module" src="/page.js"></script></body>
</html>
`;

/** Scripts and styles of this server only: names in files are text, whatever they contain. */
const SECURITY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/**
 * A report has its scripts within it, and may come from elsewhere as any folder: it runs as a page of nobody, which may ask for
 * nothing, not this server either.
 */
const REPORT_POLICY =
  "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const REPORT_FILE = "report.html";

interface Answer {
  readonly type: string;
  readonly body: string | Uint8Array;
  /** of a download */
  readonly file?: string;
  /** absent: that of the server's own page */
  readonly policy?: string;
}

/** Of every table of the page. */
const PAGE_COLUMNS = COLUMNS.filter(({ quantity }) => quantity !== "reward");

const asJson = (value: unknown): Answer => ({ type: "application/json", body: JSON.stringify(value) });

function notFound(what: string): CcparkError {
  return new CcparkError("not-found", `[ui] no ${what}`);
}

function oneOf<T extends string>(known: readonly T[], text: string | null, otherwise: T): T {
  return known.find((each) => each === text) ?? otherwise;
}

const listed = (text: string | null): { list?: string[] } =>
  text === null ? {} : { list: JSON.parse(text) as string[] };

function exportsOf(path: string): { scenario: string; file: string }[] {
  const folder = join(path, "exports");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: scenario }) =>
      readdirSync(join(folder, scenario))
        .filter((file) => file.endsWith(".sqlog"))
        .map((file) => ({ scenario, file })),
    );
}

function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

class Pages {
  readonly #folders: RunFolders;

  constructor(folders: RunFolders) {
    this.#folders = folders;
  }

  overview(): object {
    const runs = this.#folders.list();
    const names = [...new Set(runs.flatMap(({ contenders }) => contenders))];
    const league = leagueOf(this.#folders.leagueRuns());
    return { runs, league, styles: this.#styles(names) };
  }

  run(id: string): object {
    const path = this.#path(id);
    const entry = this.#folders.entryOf(id)!;
    const updates = join(path, "progress.jsonl");
    const training = existsSync(updates)
      ? { progress: jsonLinesOf(updates), validation: evaluationsOf(path) }
      : {};
    const hasReport = existsSync(join(path, REPORT_FILE));
    if (entry.kind === "training") return { entry, hasReport, ...training, styles: {} };
    if (entry.kind !== "results" || entry.error !== undefined) {
      const pictures = readdirSync(path).filter((file) => file.endsWith(".svg") || file.endsWith(".png"));
      const league = textOf(join(path, "league.json"));
      return {
        entry,
        hasReport,
        evaluation: entry.kind === "experiment" ? evaluationOf(path)?.rows : undefined,
        report: textOf(join(path, "report.txt")) ?? (league && leagueReport(league)),
        pictures,
        styles: {},
      };
    }
    const { summary, headline, command, seeds } = readSummary(path);
    const rows = summary.map((row) => {
      const ofLink = summary.filter(({ scenario, link }) => scenario === row.scenario && link === row.link);
      const columns = columnsOf(PAGE_COLUMNS, ofLink);
      return {
        scenario: row.scenario,
        link: row.link,
        algorithm: row.algorithm,
        ranked: !isReference(row.algorithm) && barredBy(row, ofLink) === undefined,
        hasSeveralFlows: row.flows !== undefined,
        values: Object.fromEntries(columns.map(({ quantity }) => [quantity, row[quantity] ?? null])),
        standing: Object.fromEntries(
          columns.map((column) => [column.quantity, standingIn(column, row, ofLink)]),
        ),
      };
    });
    return {
      entry,
      hasReport,
      headline,
      command,
      columns: PAGE_COLUMNS,
      linkColumns: columnsOf([], summary),
      key: {
        cells: cellsText(summary, seeds),
        ties: tiesText(seeds),
        delays: DELAYS_TEXT,
        severalFlows: SEVERAL_FLOWS_TEXT,
        whole: tableKey(headline, summary, seeds),
      },
      rows,
      exports: exportsOf(path),
      ...training,
      styles: this.#styles(entry.contenders),
    };
  }

  /** Two runs on one link. */
  difference(ids: readonly [string, string], scenario: string): object {
    const [a, b] = ids.map((id) => {
      const saved = readSummary(this.#path(id));
      const link = runLinks(saved).find((each) => each.scenario === scenario);
      if (link === undefined) throw notFound(`link \`${scenario}\` in such a run`);
      return { name: this.#folders.entryOf(id)!.name, link, headline: saved.headline };
    });
    return differenceOf(PAGE_COLUMNS, headlineColumn(a!.headline), a!, b!);
  }

  /** Courses over time on one link. */
  series(id: string, scenario: string): object {
    return { series: readSeries(this.#path(id)).filter((entry) => entry.scenario === scenario) };
  }

  flows(id: string, scenario: string, file: string): object {
    const path = this.#path(id);
    if (!exportsOf(path).some((each) => each.scenario === scenario && each.file === file))
      throw notFound("such export");
    return { flows: qlogCourses(join(path, "exports", scenario, file)) };
  }

  async plot(query: URLSearchParams): Promise<Answer> {
    const format: Format = oneOf(FORMATS, query.get("format"), "svg");
    const results = query.getAll("run").map((id) => readResults(this.#path(id)));
    if (results.length === 0) throw notFound("run to plot");
    const kind = KINDS.find((each) => each === query.get("kind"));
    const { list: scenarios } = listed(query.get("scenarios"));
    const { list: contenders } = listed(query.get("contenders"));
    const drawn = plotOf(results, {
      metric: query.get("metric") ?? "score",
      size: oneOf(SIZES, query.get("size"), "column"),
      ...(kind && { kind }),
      ...(scenarios && { scenarios }),
      ...(contenders && { contenders }),
      ...(query.has("seed") && { seed: Number(query.get("seed")) }),
    });
    const file = `${drawn.name.replaceAll(/[^\w.-]+/g, "_")}.${format}`;
    return { type: MEDIA_TYPES[format], body: await plotFile(drawn, format), file };
  }

  /** A picture that an experiment wrote; shown as an image, in which no script runs. */
  picture(id: string, file: string): Answer {
    const path = this.#path(id);
    if (!readdirSync(path).includes(file) || !/\.(svg|png)$/.test(file)) throw notFound("such picture");
    return {
      type: file.endsWith(".svg") ? MEDIA_TYPES.svg : MEDIA_TYPES.png,
      body: readFileSync(join(path, file)),
    };
  }

  report(id: string): Answer {
    const body = textOf(join(this.#path(id), REPORT_FILE));
    if (body === undefined) throw notFound("such report");
    return { type: "text/html; charset=utf-8", body, policy: REPORT_POLICY };
  }

  #path(id: string): string {
    const path = this.#folders.pathOf(id);
    if (path === undefined) throw notFound("such run");
    return path;
  }

  #styles(names: readonly string[]): object {
    const styles = styleContenders(names);
    return Object.fromEntries(names.map((name, i) => [name, styles[i]!]));
  }
}

async function answer(pages: Pages, url: URL): Promise<Answer> {
  const query = url.searchParams;
  const given = (name: string): string => query.get(name) ?? "";
  switch (url.pathname) {
    case "/":
      return { type: "text/html; charset=utf-8", body: PAGE };
    case "/page.js":
      return { type: "text/javascript; charset=utf-8", body: (await pageAssets()).js };
    case "/page.css":
      return { type: "text/css; charset=utf-8", body: (await pageAssets()).css };
    case "/api/overview":
      return asJson(pages.overview());
    case "/api/run":
      return asJson(pages.run(given("id")));
    case "/api/difference":
      return asJson(pages.difference([given("a"), given("b")], given("scenario")));
    case "/api/series":
      return asJson(pages.series(given("id"), given("scenario")));
    case "/api/flows":
      return asJson(pages.flows(given("id"), given("scenario"), given("file")));
    case "/api/plot":
      return pages.plot(query);
    case "/api/picture":
      return pages.picture(given("id"), given("file"));
    case "/api/report":
      return pages.report(given("id"));
    default:
      throw notFound(`page \`${url.pathname}\``);
  }
}

/** Server-sent events: one when any folder has changed. */
function watch(folders: RunFolders, response: ServerResponse): void {
  response.writeHead(200, { ...SECURITY, "content-type": "text/event-stream" });
  response.write(": watching\n\n");
  let state = folders.listed;
  const timer = setInterval(() => {
    const now = folders.state();
    // what came and went since the last look may have been shown meanwhile
    if (now === state && now === folders.listed) return;
    state = now;
    response.write("event: changed\ndata: {}\n\n");
  }, WATCH_MS);
  response.on("close", () => clearInterval(timer));
}

const isLoopback = (host: string | undefined): boolean =>
  /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "");

async function handle(
  folders: RunFolders,
  pages: Pages,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, { type, body, file, policy }: Answer): void => {
    const headers = {
      ...SECURITY,
      "content-type": type,
      ...(policy !== undefined && { "content-security-policy": policy }),
      ...(file !== undefined && { "content-disposition": `attachment; filename="${file}"` }),
    };
    response.writeHead(status, headers).end(body);
  };
  const say = (status: number, error: string): void => send(status, asJson({ error }));
  // a name that leads here from elsewhere (DNS rebinding) is none of this server's
  if (!isLoopback(request.headers.host)) return say(403, "[ui] expected a loopback address as host");
  if (request.method !== "GET") return say(405, "[ui] only GET");
  const url = new URL(request.url ?? "/", `http://${LOOPBACK}`);
  if (url.pathname === "/api/watch") return watch(folders, response);
  try {
    send(200, await answer(pages, url));
  } catch (error) {
    const status = error instanceof CcparkError ? (error.kind === "not-found" ? 404 : 400) : 500;
    say(status, (error as Error).message);
  }
}

export interface UiServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param port 0: any that is free
 * @throws CcparkError (failed-precondition) where the port is taken
 */
export async function serveUi(roots: readonly string[], port: number): Promise<UiServer> {
  const folders = new RunFolders(roots);
  const pages = new Pages(folders);
  pages.overview(); // what takes time is read before somebody looks
  const server: Server = createServer((request, response) => void handle(folders, pages, request, response));
  await new Promise<void>((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "it is in use" : error.message;
      fail(
        new CcparkError("failed-precondition", `[ui] cannot listen on port ${port}: ${why}`, {
          cause: error,
        }),
      );
    });
    server.listen(port, LOOPBACK, done);
  });
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://${LOOPBACK}:${at}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
