/** The calls of EnvService about flows: who asks sees those of its own clients, and of all where the server knows no owners. */
import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import { ALL_BANDS, type BandReport, maskOf } from "../../../flows/bands.ts";
import type { FlowPlace } from "../../../flows/directory.ts";
import type { FlowObserver } from "../../../flows/named-flow.ts";
import type { OverflowNotice } from "../../../flows/observation-queue.ts";
import type {
  FlowBand,
  FlowReport,
  KillFlowRequest,
  KillFlowResponse,
  ListFlowsRequest,
  ListFlowsResponse,
  MoveFlowRequest,
  MoveFlowResponse,
  WatchFlowRequest,
  WatchFlowResponse,
} from "../generated/ccpark/v1/environment.ts";
import { type Caller, clientOf, ownerOf } from "../server/client-identity.ts";
import type { ServerContext } from "../server/server-context.ts";
import { toRpcError, toServiceError } from "../status-codes.ts";
import { BAND_OF, SCOPE_OF } from "./flow-words.ts";
import type { ServedFlow } from "./served-flows.ts";

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
/** As many as monitors and notebooks there may be, with room to spare. */
const MAX_OBSERVERS = 64;
/** Of a pattern: a handle and a name with room for many stars. */
const MAX_PATTERN_LENGTH = 400;

const invalid = (field: string, message: string): CcparkError =>
  new CcparkError("invalid-argument", `[flows] ${field}: ${message}`, { field });

/** Flows of other owners are as if they were not there. */
function canSee(call: Caller, client: string): boolean {
  const owner = ownerOf(call);
  return owner === "" || owner === client;
}

function seen({ flows }: ServerContext, call: Caller, handle: string): ServedFlow {
  const found = flows.get(handle);
  if (canSee(call, found.entry.place.owner)) return found;
  throw new CcparkError("not-found", `[flows] no flow ${handle}: it has ended, or never was here`, {
    field: "handle",
  });
}

export function listFlows(
  context: ServerContext,
  { pattern, scope: asked, ofHandle, limit }: ListFlowsRequest,
  call: Caller,
): ListFlowsResponse {
  const { flows } = context;
  const scope = SCOPE_OF.get(asked);
  if (scope === undefined) throw invalid("scope", `got ${asked}, expected 0 to ${SCOPE_OF.size - 1}`);
  if (limit > MAX_LIMIT) throw invalid("limit", `got ${limit}, expected at most ${MAX_LIMIT}`);
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw invalid("pattern", `got ${pattern.length} characters, expected at most ${MAX_PATTERN_LENGTH}`);
  }
  const from: Partial<FlowPlace> =
    ofHandle === "" ? { owner: clientOf(call) } : seen(context, call, ofHandle).entry.place;
  const found = flows.directory
    .find({ ...(pattern !== "" && { pattern }), scope, from })
    .filter(({ place }) => canSee(call, place.owner));
  return {
    total: BigInt(found.length),
    flows: found.slice(0, limit === 0 ? DEFAULT_LIMIT : limit).map((entry) => ({
      handle: `${entry.flow.handle}`,
      name: entry.flow.name,
      envId: flows.ownerOf(entry).session.config.envId,
      observers: entry.flow.observerCount,
    })),
  };
}

export async function moveFlow(
  context: ServerContext,
  { handle, forward, reverse }: MoveFlowRequest,
  call: Caller,
): Promise<MoveFlowResponse> {
  const to = { forward: forward || "forward", reverse: reverse || "reverse" };
  for (const [field, name] of Object.entries(to)) {
    if (name.length > MAX_PATTERN_LENGTH)
      throw invalid(field, `got ${name.length} characters, expected at most ${MAX_PATTERN_LENGTH}`);
  }
  await seen(context, call, handle).move(to);
  context.log.info({ flow: handle, ...to }, "flow moved");
  return {};
}

export function killFlow(
  context: ServerContext,
  { handle }: KillFlowRequest,
  call: Caller,
): KillFlowResponse {
  seen(context, call, handle).kill();
  context.log.info({ flow: handle }, "flow killed");
  return {};
}

function reportToWire({ flow, number, timeUs, ...report }: BandReport): FlowReport {
  return { handle: `${flow}`, number: BigInt(number), timeUs, body: bodyToWire(report) };
}

function bodyToWire(report: Pick<BandReport, "band" | "body">): FlowReport["body"] {
  const { band, body } = report as BandReport;
  switch (band) {
    case "membership":
      return { $case: band, value: body };
    case "control":
      return {
        $case: band,
        value: {
          cwndBytes: body.cwndBytes,
          pacingRateBytesPerSec: body.rateBytesPerSec,
          inflightBytes: body.inflightBytes,
        },
      };
    case "fault":
      return { $case: band, value: body };
    case "measurement":
      return { $case: band, value: body };
    case "truth":
      return { $case: band, value: body };
  }
}

function noticeToWire({ overwritten, received }: OverflowNotice): WatchFlowResponse {
  return {
    payload: {
      $case: "overflow",
      value: { overwritten: BigInt(overwritten), received: BigInt(received) },
    },
  };
}

function maskOfBands(bands: readonly FlowBand[]): number {
  if (bands.length === 0) return ALL_BANDS;
  return maskOf(
    bands.map((band) => {
      const name = BAND_OF.get(band);
      if (name === undefined) throw invalid("bands", `got ${band}, expected 1 to ${BAND_OF.size}`);
      return name;
    }),
  );
}

/** Writes what an observer has to read, as fast as the connection takes it: what waits longer is overwritten. */
class Watch {
  readonly #call: ServerWritableStream<WatchFlowRequest, WatchFlowResponse>;
  readonly #observer: FlowObserver;
  #isFull = false;
  #isOver = false;

  constructor(
    call: ServerWritableStream<WatchFlowRequest, WatchFlowResponse>,
    { entry: { flow } }: ServedFlow,
  ) {
    const { bands, queue } = call.request;
    this.#call = call;
    this.#observer = flow.observe({
      mask: maskOfBands(bands),
      ...(queue !== 0 && { capacity: queue }),
      onReadable: () => this.#write(),
      onEnd: () => this.#end(),
    });
    call.on("drain", () => {
      this.#isFull = false;
      this.#write();
      if (this.#isOver && !this.#isFull) call.end();
    });
    call.on("cancelled", () => this.#observer.close());
  }

  #write(): void {
    while (!this.#isFull) {
      const report = this.#observer.read();
      for (const notice of this.#observer.takeNotices()) this.#call.write(noticeToWire(notice));
      if (report === undefined) return;
      this.#isFull = !this.#call.write({ payload: { $case: "report", value: reportToWire(report) } });
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#write();
    if (!this.#isFull) this.#call.end();
  }
}

export function watchFlow(
  context: ServerContext,
  call: ServerWritableStream<WatchFlowRequest, WatchFlowResponse>,
): void {
  try {
    const found = seen(context, call, call.request.handle);
    if (found.entry.flow.observerCount >= MAX_OBSERVERS) {
      throw new CcparkError(
        "resource-exhausted",
        `[flows] ${MAX_OBSERVERS} watch flow ${call.request.handle}, no more are allowed`,
        { field: "handle" },
      );
    }
    new Watch(call, found);
    // tells the watcher that it watches, before anything happens
    call.sendMetadata(new Metadata());
  } catch (error) {
    context.counts.error(toRpcError(error).code);
    call.emit("error", toServiceError(error));
  }
}
