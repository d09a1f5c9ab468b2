/**
 * One link as an SVG picture for a document: goodput against p95 delay, and the score. Drawn by Vega without a browser.
 * The picture brings its own card and follows the reader's light or dark preference through a media query.
 */
import { CcparkError } from "../../core/errors.ts";
import { vegaSvg } from "../plots/vega-svg.ts";
import { type Headline, headlineTitle } from "../verdicts/headline.ts";
import { linksOf, seedRows, tradeoffRows } from "./chart-data.ts";
import { headlineChart, tradeoffChart } from "./charts.ts";
import { chartConfig, FONT, styleContenders } from "./palette.ts";
import type { ReportData } from "./report-data.ts";

const CARD = { light: "#ffffff", dark: "#0d1117", lightBorder: "#d9dee3", darkBorder: "#2a323c" } as const;

/** In one line: without a browser Vega guesses the width of text. */
const HEADLINE_FORMULAS: Readonly<Record<Headline, string>> = {
  score: "log2(goodput) − ½ log2(delay)",
  power: "utilisation × (1 − loss) × base RTT / RTT",
};

/** Every string of one theme beside its counterpart of the other, read off two objects of one shape. */
function pairs(light: unknown, dark: unknown, found: Map<string, string>): Map<string, string> {
  if (typeof light === "string" && typeof dark === "string") {
    if (light !== dark && light.startsWith("#")) found.set(light, dark);
  } else if (typeof light === "object" && light !== null && typeof dark === "object" && dark !== null) {
    const other = dark as Record<string, unknown>;
    for (const [key, value] of Object.entries(light)) pairs(value, other[key], found);
  }
  return found;
}

/** @throws CcparkError (not-found) if the report has no such link */
export async function linkPicture(data: ReportData, scenario: string): Promise<string> {
  const link = linksOf(data).find((candidate) => candidate.scenario === scenario);
  if (link === undefined) {
    throw new CcparkError(
      "not-found",
      `[report] no link \`${scenario}\` in these results to draw a picture of`,
    );
  }
  const names = data.contenders.map((contender) => contender.name);
  // without a browser Vega guesses the width of text, and guesses high: short texts keep the picture tight
  const seeds = `mean and 95 % confidence interval over ${data.seeds.length} seeds`;
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: `${link.scenario}: ${link.link}`,
      subtitle: data.seeds.length > 1 ? seeds : `seed ${data.seeds[0]}`,
      fontSize: 15,
      subtitleFontSize: 12,
      subtitlePadding: 5,
      offset: 18,
    },
    padding: 22,
    spacing: 44,
    align: "each",
    params: [{ name: "hidden", value: [] }],
    datasets: { summary: tradeoffRows(data, link), records: seedRows(data, link) },
    hconcat: [
      {
        title: { text: "Throughput against delay", subtitle: "up and to the left is better", offset: 14 },
        ...tradeoffChart(names, { width: 330, height: 250 }),
      },
      {
        title: { text: headlineTitle(data.headline), subtitle: "higher is better", offset: 14 },
        ...headlineChart(names, { width: 300, height: 250 }, data.headline, HEADLINE_FORMULAS[data.headline]),
      },
    ],
    resolve: { scale: { x: "independent", y: "independent" } },
  };
  return drawSvg(spec, names);
}

/** A Vega-Lite specification as a picture on a card, for contenders of these names. */
export async function drawSvg(spec: object, names: readonly string[]): Promise<string> {
  const light = chartConfig("light", names);
  const dark = chartConfig("dark", names);
  const svg = await vegaSvg(spec, light);

  const styles = styleContenders(names);
  const swaps = pairs(light, dark, new Map(styles.map((style) => [style.light, style.dark])));
  const rules = [...swaps].flatMap(([from, to]) => [
    `[fill="${from}"]{fill:${to}}`,
    `[stroke="${from}"]{stroke:${to}}`,
  ]);
  const style =
    `<style>text{font-family:${FONT.replaceAll('"', "'")}}.card{fill:${CARD.light};stroke:${CARD.lightBorder}}` +
    `@media (prefers-color-scheme:dark){.card{fill:${CARD.dark};stroke:${CARD.darkBorder}}${rules.join("")}}</style>`;
  const card = '<rect class="card" x="0.5" y="0.5" width="99.9%" height="99.8%" rx="8"/>';
  return `${svg.replace(/(<svg[^>]*>)/, `$1${style}${card}`)}\n`;
}
