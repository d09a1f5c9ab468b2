/** What the gateways of two sites do with what goes from one to the other: a file in YAML or JSON, the same for both boxes of a site. */
import * as z from "zod";
import { CcparkError } from "../../core/errors.ts";
import { readWhole } from "../../core/text-files.ts";
import { fileError } from "../../core/whole-files.ts";
import { DISCIPLINE_SCHEMA, type DisciplineSpec } from "../../scenarios/disciplines/registry.ts";
import { bytes, count, mbps, priority, text } from "../../scenarios/schema/ranges.ts";
import { complain, fields, type Schema, withRule } from "../../scenarios/schema/shapes.ts";
import { firstMistake, show } from "../../scenarios/validate.ts";
import { readYaml } from "../../scenarios/yaml-files.ts";
import { EPOCHS_PER_RTT } from "../bundles/epochs.ts";
import { type Prefix, parsePrefix } from "../host/addresses.ts";

/** What packets of a port or a DSCP are worth: 0 is served first, where the discipline knows priorities. */
export interface PriorityRule {
  /** of TCP or UDP, at either end */
  readonly port?: number;
  /** RFC 2474 */
  readonly dscp?: number;
  readonly priority: number;
}

export interface BundlePolicy {
  /** network interface towards the other site */
  readonly device: string;
  /** addresses of this site and of the other one: what goes between them is the bundle */
  readonly local: Prefix;
  readonly remote: Prefix;
  /** of the other site's boxes */
  readonly peer: string;
  /** of this site's boxes; absent: the device's */
  readonly address?: string;
  /** UDP, of the receiveboxes; the sendboxes have the next */
  readonly port: number;
  /** sets the rate; by reference */
  readonly algorithm: string;
  /** the bundle is never faster; absent: as the algorithm says */
  readonly maxMbps?: number;
  readonly queue: { readonly packets?: number; readonly bytes?: number; readonly discipline: DisciplineSpec };
  /** the first that fits decides; what none fits has 1 */
  readonly priorities: readonly PriorityRule[];
  /** so often the receivebox answers in the least RTT */
  readonly epochsPerRtt: number;
}

const DEFAULT_PORT = 9700;
/** The sendbox has the port behind the receivebox's. */
const MAX_PORT = 65_534;
/** What waits at 100 Mbit/s for a quarter of a second. */
const DEFAULT_PACKETS = 2000;
/** Of an interface's name, without its end (IFNAMSIZ). */
const MAX_DEVICE_LENGTH = 15;
const MAX_EPOCHS_PER_RTT = 64;
/** As the thesis and Linux call them. */
const ALSO: Readonly<Record<string, string>> = { fifo: "drop-tail", priority: "strict-priority" };

const address: Schema = z.ipv4({ error: "an IPv4 address, such as 192.0.2.1" });
const A_PREFIX = "a prefix, such as 10.1.0.0/16";
const prefix: Schema = z.string({ error: A_PREFIX }).transform((written, complaints) => {
  const parsed = parsePrefix(written);
  if (parsed === undefined) complain(complaints, [], A_PREFIX);
  return parsed;
});
const port = z.number().int().min(1).max(MAX_PORT);

/** A discipline by its name alone, or as others call it: `fifo` is `{ kind: drop-tail }`. What is not a policy stays what it is. */
function spelledOut(value: unknown): unknown {
  const queue = (value as { queue?: unknown } | null)?.queue;
  const written = (queue as { discipline?: unknown } | null | undefined)?.discipline;
  const discipline = typeof written === "string" ? { kind: written } : written;
  const kind = (discipline as { kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== "string") return value;
  const named = { ...(discipline as object), kind: ALSO[kind] ?? kind };
  return { ...(value as object), queue: { ...(queue as object), discipline: named } };
}

interface WrittenPolicy extends Omit<BundlePolicy, "port" | "queue" | "priorities" | "epochsPerRtt"> {
  readonly port?: number;
  readonly queue?: {
    readonly packets?: number;
    readonly bytes?: number;
    readonly discipline?: DisciplineSpec;
  };
  readonly priorities?: readonly PriorityRule[];
  readonly sampling?: { readonly epochsPerRtt?: number };
}

const RULE: Schema = withRule<PriorityRule>(
  fields<PriorityRule>({ port: port.optional(), dscp: z.number().int().min(0).max(63).optional(), priority }),
  (rule, complaints) => {
    if (rule.port === undefined && rule.dscp === undefined) complain(complaints, [], "`port` or `dscp`");
  },
);

const POLICY: Schema = fields<WrittenPolicy>({
  device: text.max(MAX_DEVICE_LENGTH),
  local: prefix,
  remote: prefix,
  peer: address,
  address: address.optional(),
  port: port.optional(),
  algorithm: text,
  maxMbps: mbps.optional(),
  queue: fields<NonNullable<WrittenPolicy["queue"]>>({
    packets: count.optional(),
    bytes: bytes.optional(),
    discipline: DISCIPLINE_SCHEMA.optional(),
  }).optional(),
  priorities: z.array(RULE).max(1000).optional(),
  sampling: fields<NonNullable<WrittenPolicy["sampling"]>>({
    epochsPerRtt: z.number().min(1).max(MAX_EPOCHS_PER_RTT).optional(),
  }).optional(),
});

/**
 * @param name of the file, for the error
 * @throws CcparkError (invalid-argument) such as `[bundle] a.yaml: queue.packets: got 0, expected >= 1`
 */
export function parsePolicy(written: string, name: string): BundlePolicy {
  const read = readYaml(written);
  if ("mistake" in read) {
    const message = `[bundle] ${name}, line ${read.line}: ${read.mistake}`;
    throw new CcparkError("invalid-argument", message, { cause: read.cause });
  }
  const value = spelledOut(read.value);
  const result = POLICY.safeParse(value);
  if (!result.success) {
    const { where, got, expected } = firstMistake(result.error, value, "policy");
    const message = `[bundle] ${name}: ${where}: got ${show(got)}, expected ${expected}`;
    throw new CcparkError("invalid-argument", message, { cause: result.error, field: where });
  }
  const {
    sampling = {},
    queue = {},
    priorities = [],
    port: first = DEFAULT_PORT,
    ...policy
  } = result.data as WrittenPolicy;
  const isLimited = queue.packets !== undefined || queue.bytes !== undefined;
  return {
    ...policy,
    port: first,
    queue: {
      ...(!isLimited && { packets: DEFAULT_PACKETS }),
      ...queue,
      discipline: queue.discipline ?? { kind: "sfq" },
    },
    priorities,
    epochsPerRtt: sampling.epochsPerRtt ?? EPOCHS_PER_RTT,
  };
}

/** @throws CcparkError: not-found where it cannot be read, else as `parsePolicy` */
export function loadPolicy(path: string): BundlePolicy {
  let written: string;
  try {
    written = readWhole(path).toString("utf8");
  } catch (cause) {
    throw fileError("[bundle] cannot read", path, cause);
  }
  return parsePolicy(written, path);
}

/** What went wrong by a field of the policy says in which file the field is. */
export function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof CcparkError) || error.field === undefined) return error;
  const message = `[bundle] ${path}: ${error.message.replace(/^\[\w+\] /, "")}`;
  return new CcparkError(error.kind, message, { cause: error, field: error.field });
}
