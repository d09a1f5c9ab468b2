/** The chunnels by name, for stacks in JSON: `[{ "chunnel": "cc", "algorithm": "copa" }, ...]`, top first. */
import { CcparkError, showValue, unknownName } from "../../core/errors.ts";
import { memory, simulated, udp, unix } from "../chunnels/base.ts";
import { cc } from "../chunnels/control/cc.ts";
import { flow } from "../chunnels/control/flow.ts";
import { pace } from "../chunnels/control/pace.ts";
import { compress } from "../chunnels/framing/compress.ts";
import { encrypt } from "../chunnels/framing/encrypt.ts";
import { frame } from "../chunnels/framing/frame.ts";
import { serialise } from "../chunnels/framing/serialise.ts";
import { nothing } from "../chunnels/nothing.ts";
import { batch } from "../chunnels/queues/batch.ts";
import { buffer } from "../chunnels/queues/buffer.ts";
import { late } from "../chunnels/queues/late.ts";
import { schedule } from "../chunnels/queues/schedule.ts";
import { once } from "../chunnels/reliability/once.ts";
import { order } from "../chunnels/reliability/order.ts";
import { reliable } from "../chunnels/reliability/reliable.ts";
import { retry } from "../chunnels/reliability/retry.ts";
import { sack } from "../chunnels/reliability/sack.ts";
import { forward } from "../chunnels/routing/forward.ts";
import { local } from "../chunnels/routing/local.ts";
import { route } from "../chunnels/routing/route.ts";
import { shard } from "../chunnels/routing/shard.ts";
import { trace } from "../chunnels/trace.ts";
import { type ChunnelSpec, checkStack } from "./spec.ts";

interface Entry {
  readonly summary: string;
  /** options in JSON */
  readonly options: readonly string[];
  make(options: never): ChunnelSpec;
}

function entry<O extends object>(
  make: (options: O) => ChunnelSpec,
  summary: string,
  options: readonly string[] = [],
): Entry {
  return { summary, options, make: make as Entry["make"] };
}

/** Order: as `ccpark stack list` prints them. */
export const CHUNNELS: ReadonlyMap<string, Entry> = new Map(
  Object.entries({
    late: entry(late, "asks the application for the next message when the network can take it", ["answers"]),
    serialise: entry(serialise, "values become bytes", ["codec", "key"]),
    compress: entry(compress, "DEFLATE", ["level", "maxBytes"]),
    shard: entry(shard, "spreads keyed messages over shards", ["shards", "at"]),
    batch: entry(batch, "several small messages in one (Nagle)", ["maxBytes", "maxDelayMs"]),
    buffer: entry(buffer, "a bounded queue that drops or replaces", ["maxMessages", "policy"]),
    schedule: entry(schedule, "by priority, or each destination in turn", ["policy", "maxMessages"]),
    flow: entry(flow, "flow control by credit", ["windowBytes"]),
    order: entry(order, "in order, each once", ["maxMessages"]),
    once: entry(once, "at most once"),
    reliable: entry(reliable, "repeats what is lost", ["maxMessages"]),
    retry: entry(retry, "a few attempts", ["attempts"]),
    forward: entry(forward, "sends on what is for others"),
    route: entry(route, "to the neighbour that leads there; what is below is each neighbour's own", [
      "table",
      "maxWaiting",
    ]),
    cc: entry(cc, "congestion control by any CCP algorithm", ["algorithm", "group", "mssBytes"]),
    pace: entry(pace, "a constant rate", ["rateMbps"]),
    sack: entry(sack, "sequence numbers, selective acknowledgements, loss detection", [
      "ackDelayMs",
      "giveUpSec",
    ]),
    encrypt: entry(encrypt, "ChaCha20-Poly1305 with a Noise handshake", ["secret"]),
    frame: entry(frame, "session and checksum"),
    local: entry(local, "inside this host where the peer is here"),
    trace: entry(trace, "events for a qlog", ["label"]),
    nothing: entry(nothing, "nothing"),
    udp: entry(udp, "UDP sockets"),
    unix: entry(unix, "unix datagram sockets"),
    simulated: entry(simulated, "a path of the simulator"),
    memory: entry(memory, "memory"),
  }),
);

/**
 * A stack from JSON.
 * @throws CcparkError (invalid-argument, not-found) that names the chunnel's place and what is wrong with it
 */
export function parseStack(input: unknown, where = "stack"): readonly ChunnelSpec[] {
  if (!Array.isArray(input)) {
    throw new CcparkError(
      "invalid-argument",
      `[transport] ${where}: got ${showValue(input)}, expected a list of chunnels`,
    );
  }
  const specs = input.map((each, i) => parseChunnel(each, `${where}.${i}`));
  checkStack(specs, where);
  return specs;
}

/** @throws CcparkError (invalid-argument, not-found) */
export function parseChunnel(input: unknown, where = "chunnel"): ChunnelSpec {
  const given = typeof input === "string" ? { chunnel: input } : input;
  if (
    typeof given !== "object" ||
    given === null ||
    typeof (given as { chunnel?: unknown }).chunnel !== "string"
  ) {
    const expected = 'a name, or { "chunnel": NAME, ...options }';
    throw new CcparkError(
      "invalid-argument",
      `[transport] ${where}: got ${showValue(input)}, expected ${expected}`,
    );
  }
  const { chunnel, ...options } = given as { chunnel: string };
  const found = CHUNNELS.get(chunnel);
  if (found === undefined)
    throw unknownName("transport", `chunnel at ${where}`, chunnel, [...CHUNNELS.keys()]);
  for (const option of Object.keys(options)) {
    if (!found.options.includes(option)) {
      throw unknownName("transport", `option of ${chunnel} at ${where}`, option, found.options);
    }
  }
  return found.make(options as never);
}

/** As in JSON; secrets are not shown. */
export function stackToJson(specs: readonly ChunnelSpec[]): unknown[] {
  return specs.map(({ name, options }) => ({ chunnel: name, ...options }));
}
