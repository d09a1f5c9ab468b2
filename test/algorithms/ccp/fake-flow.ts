/** A flow whose reports a test invents: records what the algorithm does with its `FlowControl`. */
import type { CcpAlgorithm, CcpFlow, FlowControl } from "../../../ccp-bridge/agent/algorithm.ts";
import { Rng } from "../../../core/random.ts";
import { MSS_BYTES } from "../../../core/units.ts";

export const INFINITY_REPORTED = 0xffff_ffff;

export class FakeFlow implements FlowControl {
  readonly flowId: number;
  readonly programs: string[] = [];
  /** all fields set so far, the latest value of each */
  fields: Record<string, number> = {};
  /** fields of the last call */
  last: Readonly<Record<string, number>> = {};
  readonly #flow: CcpFlow;

  constructor(algorithm: CcpAlgorithm, options: { flowId?: number } = {}) {
    this.flowId = options.flowId ?? 1;
    this.#flow = algorithm.newFlow(this, {
      flowId: this.flowId,
      initCwndBytes: 10 * MSS_BYTES,
      mssBytes: MSS_BYTES,
      srcIp: 0,
      srcPort: 0,
      dstIp: 0,
      dstPort: 0,
      nowUs: 0,
      host: "here",
      name: "",
      weight: 1,
      aggregates: [],
      rng: Rng.fromSeed(1),
    });
  }

  setProgram(name: string, fields: Readonly<Record<string, number>> = {}): void {
    this.programs.push(name);
    this.fields = { ...fields };
    this.last = fields;
  }

  updateFields(fields: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(fields)) {
      if (!Number.isSafeInteger(value) || value < 0)
        throw new Error(`${name} := ${value} is not a field value`);
    }
    Object.assign(this.fields, fields);
    this.last = fields;
  }

  setWindow(cwndBytes: number, rateBytesPerSec: number): void {
    const Cwnd = Math.round(cwndBytes);
    this.updateFields(rateBytesPerSec === 0 ? { Cwnd } : { Cwnd, Rate: Math.round(rateBytesPerSec) });
  }

  /** of the wake that the algorithm asked for */
  wakeUs: number | undefined;

  wakeAt(atUs: number | undefined): void {
    this.wakeUs = atUs;
  }

  /** A report arrives; fields that are not given read as `otherwise`, or 0. */
  report(nowUs: number, values: Readonly<Record<string, number>>): void {
    this.last = {};
    this.#flow.onReport({
      programUid: 1,
      programName: this.programs.at(-1)!,
      nowUs,
      get: (name) => values[name] ?? 0,
      first: (count) => Object.values(values).slice(0, count),
    });
  }
}
