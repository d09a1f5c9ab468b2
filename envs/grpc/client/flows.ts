/** The flows of a server, for who looks at them and has no session: list, watch, kill. */
import { status } from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import { BANDS, type Band, type BandReport, maskOf } from "../../../flows/bands.ts";
import type { Scope } from "../../../flows/directory.ts";
import { FlowHandle } from "../../../flows/handle.ts";
import type { OverflowNotice } from "../../../flows/observation-queue.ts";
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import { BAND_OF, SCOPE_OF } from "../flows/flow-words.ts";
import type { FlowBand, FlowEntry, FlowReport, FlowScope } from "../generated/ccpark/v1/environment.ts";
import { Service, type ServiceOptions } from "./service.ts";

export interface ListOptions {
  /** of names or handles, with `*` and `?`; default all */
  readonly pattern?: string;
  /** default all */
  readonly scope?: Scope;
  /** handle of the flow that the scope is about */
  readonly of?: string;
  /** default 1000, at most 10,000 */
  readonly limit?: number;
}

export interface FlowList {
  readonly flows: readonly FlowEntry[];
  /** how many there are, beyond the limit too */
  readonly total: number;
}

export interface WatchOptions {
  /** default all */
  readonly bands?: readonly string[];
  /** reports that the server keeps for a slow reader, the newest; default 64 */
  readonly queue?: number;
  readonly signal?: AbortSignal;
}

/** What comes of a watched flow. */
export type WatchedItem =
  | { readonly report: BandReport; readonly overflow?: undefined }
  | { readonly overflow: OverflowNotice; readonly report?: undefined };

function keyOf<Code extends number, Name>(names: ReadonlyMap<Code, Name>, name: Name): Code {
  return [...names].findLast(([, each]) => each === name)![0];
}

function reportFromWire({ handle, number, timeUs, body }: FlowReport): BandReport | undefined {
  // of a band of a server to come
  if (body === undefined || !Object.hasOwn(BANDS, body.$case)) return undefined;
  const common = { flow: FlowHandle.parse(handle), number: Number(number), timeUs };
  if (body.$case !== "control") return { ...common, band: body.$case, body: body.value } as BandReport;
  const { pacingRateBytesPerSec: rateBytesPerSec, cwndBytes, inflightBytes } = body.value;
  return { ...common, band: "control", body: { cwndBytes, rateBytesPerSec, inflightBytes } };
}

export class FlowsClient {
  readonly #service: Service;

  /** @throws CcparkError (invalid-argument) */
  constructor(options: ServiceOptions) {
    this.#service = new Service(options);
  }

  /** @throws CcparkError */
  async list({ pattern = "", scope = "all", of = "", limit = 0 }: ListOptions = {}): Promise<FlowList> {
    const request = { pattern, scope: keyOf<FlowScope, Scope>(SCOPE_OF, scope), ofHandle: of, limit };
    const { flows, total } = await this.#service.call(this.#service.client.listFlows, request);
    return { flows, total: Number(total) };
  }

  /**
   * The flow takes these links of its scenario where its route says `forward` and `reverse`, under the same handle, from the next step on.
   * @param to names; default the scenario's own, `forward` and `reverse`
   * @throws CcparkError: not-found, invalid-argument for links that it cannot take, failed-precondition where flows stay
   */
  async move(handle: string, { forward = "", reverse = "" }: Partial<MoveTarget> = {}): Promise<void> {
    await this.#service.call(this.#service.client.moveFlow, { handle, forward, reverse });
  }

  /** @throws CcparkError (not-found) for a flow that is not there */
  async kill(handle: string): Promise<void> {
    await this.#service.call(this.#service.client.killFlow, { handle });
  }

  /** Ends with the flow, or with the signal. @throws CcparkError */
  async *watch(
    handle: string,
    { bands = [], queue = 0, signal }: WatchOptions = {},
  ): AsyncGenerator<WatchedItem> {
    maskOf(bands);
    const wanted = bands.map((band) => keyOf<FlowBand, Band>(BAND_OF, band as Band));
    const { client, metadata } = this.#service;
    const call = client.watchFlow({ handle, bands: wanted, queue }, metadata);
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted === true) cancel();
    try {
      for await (const { payload } of call) {
        if (payload?.$case === "report") {
          const report = reportFromWire(payload.value);
          if (report !== undefined) yield { report };
        } else if (payload?.$case === "overflow") {
          const { overwritten, received } = payload.value;
          yield { overflow: { overwritten: Number(overwritten), received: Number(received) } };
        }
      }
    } catch (error) {
      if (error instanceof CcparkError) throw error;
      const { code, details } = error as { readonly code: number; readonly details: string };
      if (code === status.CANCELLED && signal?.aborted === true) return;
      throw this.#service.errorOf(code, details);
    } finally {
      signal?.removeEventListener("abort", cancel);
      call.cancel();
    }
  }

  close(): void {
    this.#service.client.close();
  }
}
