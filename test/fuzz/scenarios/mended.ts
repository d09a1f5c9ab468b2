/** Scenario objects whose fields no longer contradict each other; what is wrong by itself stays wrong. */

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === "object" && !Array.isArray(value);
/** The longest that a scenario may last, s. */
const DAY_SEC = 86_400;
/** A full packet with its headers, bytes. */
const FULL_PACKET_BYTES = 1_504;
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** Pairs of fields of which the second is the larger one. */
const ORDERED = [
  ["minBytes", "maxBytes"],
  ["minMbps", "maxMbps"],
  ["minMs", "maxMs"],
  ["fromSec", "toSec"],
  ["startSec", "stopSec"],
  ["targetMs", "intervalMs"],
  ["minPackets", "maxPackets"],
] as const;
/** Of each pair the second one goes. */
const EITHER = [
  ["packets", "bytes"],
  ["load", "flowsPerSec"],
  ["thresholdPackets", "thresholdBytes"],
] as const;

function mendFields(fields: Fields): void {
  for (const [low, high] of ORDERED) {
    const [a, b] = [fields[low], fields[high]];
    if (isNumber(a) && isNumber(b) && b <= a) [fields[low], fields[high]] = [b, b === a ? a + 1 : a];
  }
  for (const [one, other] of EITHER) if (fields[one] !== undefined) delete fields[other];
  const { mbps, minMbps, startMs, minMs, maxMs } = fields;
  if (isNumber(mbps) && mbps > 0 && mbps < 0.001) fields["mbps"] = 0.01;
  if (isNumber(minMbps) && minMbps < 0.001) fields["minMbps"] = 0;
  if (isNumber(startMs) && isNumber(minMs) && isNumber(maxMs)) {
    fields["startMs"] = Math.min(maxMs, Math.max(minMs, startMs));
  }
  const { application, burstBytes, changes } = fields;
  if (isNumber(burstBytes) && burstBytes > 0) fields["burstBytes"] = Math.max(FULL_PACKET_BYTES, burstBytes);
  if (!isFields(application) || application["kind"] !== "finite") delete fields["deadlineSec"];
  if (Array.isArray(changes) && changes.some((each) => isFields(each) && "params" in each)) {
    delete fields["changes"]; // parameters are an algorithm's own
  }
  if (fields["kind"] === "transfers" && fields["load"] === undefined && fields["flowsPerSec"] === undefined) {
    fields["flowsPerSec"] = 10;
  }
  mendLists(fields);
}

function mendLists(fields: Fields): void {
  const { points, opportunitiesMs } = fields;
  if (Array.isArray(opportunitiesMs) && opportunitiesMs.every(isNumber)) {
    opportunitiesMs.sort((a, b) => a - b);
    if (opportunitiesMs.at(-1) === 0) opportunitiesMs.push(1);
  }
  if (Array.isArray(points)) {
    inOrder(points, "atSec");
    inOrder(points, "bytes");
    const last: unknown = points.at(-1);
    if (isFields(last) && "probability" in last) {
      inOrder(points, "probability");
      (points.at(-1) as Fields)["probability"] = 1;
    }
    if (fields["periodSec"] !== undefined) fields["periodSec"] = DAY_SEC;
  }
  for (const value of Object.values(fields)) {
    if (Array.isArray(value) && value.some((entry) => isFields(entry) && "toSec" in entry)) apart(value);
  }
}

/** The values of one field, in order over the entries of a list. */
function inOrder(entries: readonly unknown[], field: string): void {
  const having = entries.filter((entry): entry is Fields => isFields(entry) && field in entry);
  // one drawn would come where it likes
  const values = having.map((entry, i) => (isNumber(entry[field]) ? entry[field] : i)).sort((a, b) => a - b);
  having.forEach((entry, i) => {
    const atSec = Math.min(values[i]!, DAY_SEC - having.length) + i * 0.001;
    entry[field] = field === "atSec" ? atSec : values[i];
  });
}

/** Spans one after the other. */
function apart(spans: readonly unknown[]): void {
  let endSec = 0;
  for (const span of spans) {
    if (!isFields(span)) return;
    if (!isNumber(span["fromSec"]) || !isNumber(span["toSec"])) [span["fromSec"], span["toSec"]] = [0, 1];
    const { fromSec, toSec } = span as { fromSec: number; toSec: number };
    const beginSec = Math.min(Math.max(fromSec, endSec), DAY_SEC - 2);
    endSec = Math.min(beginSec + Math.max(Math.abs(toSec - fromSec), 0.001), DAY_SEC - 1);
    [span["fromSec"], span["toSec"]] = [beginSec, endSec];
  }
}

function walk(value: unknown): void {
  if (Array.isArray(value)) for (const entry of value) walk(entry);
  else if (isFields(value)) {
    for (const entry of Object.values(value)) walk(entry);
    mendFields(value);
  }
}

/** Routes go over the links that there are. */
function mendRoutes(scenario: Fields): void {
  const { links } = scenario;
  const further = isFields(links) ? Object.keys(links).filter((name) => name !== "forward") : [];
  const route = { forward: ["forward", ...further], reverse: ["reverse"] };
  if (isFields(links)) delete links["forward"];
  if (further.length > 0 || scenario["route"] !== undefined) scenario["route"] = route;
  for (const each of [scenario["flows"], scenario["traffic"]]) {
    if (!Array.isArray(each)) continue;
    each.forEach((entry, i) => {
      if (!isFields(entry)) return;
      if (entry["route"] !== undefined) entry["route"] = route;
      if (entry["id"] !== undefined) entry["id"] = `flow-${i}-${String(entry["id"]).slice(0, 5)}`;
      if (entry["algorithm"] !== undefined && entry["algorithm"] !== "cubik") {
        entry["algorithm"] = ["cubic", "reno", "bbr"][i % 3];
      }
    });
  }
}

export function mended(object: unknown): unknown {
  if (!isFields(object)) return object;
  walk(object);
  mendRoutes(object);
  return object;
}
