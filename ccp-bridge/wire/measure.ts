/** measure (datapath to agent): a report; without fields, the end of the flow. */
import { MESSAGE_TYPES, makeMessage, openMessage } from "./header.ts";
import { WireError } from "./wire-error.ts";

export interface MeasureMessage {
  readonly flowId: number;
  readonly programUid: number;
  /** report registers 0, 1, ...; empty: the flow is closed */
  readonly fields: BigUint64Array;
}

/** header, program uid, number of fields */
export const MEASURE_HEADER_BYTES = 16;

export function encodeMeasure(measure: {
  flowId: number;
  programUid: number;
  fields: ArrayLike<bigint>;
}): Uint8Array {
  const { fields } = measure;
  const message = makeMessage(
    MESSAGE_TYPES.measure,
    MEASURE_HEADER_BYTES + 8 * fields.length,
    measure.flowId,
  );
  const view = new DataView(message.buffer);
  view.setUint32(8, measure.programUid, true);
  view.setUint32(12, fields.length, true);
  for (let i = 0; i < fields.length; i++) {
    view.setBigUint64(MEASURE_HEADER_BYTES + 8 * i, fields[i]!, true);
  }
  return message;
}

/**
 * The fields are all whole u64s up to the message's length; a count of 0 means close whatever follows, as in Portus.
 * @throws WireError
 */
export function decodeMeasure(message: Uint8Array): MeasureMessage {
  const { view, flowId } = openMessage(message, MESSAGE_TYPES.measure, MEASURE_HEADER_BYTES);
  const body = view.byteLength - MEASURE_HEADER_BYTES;
  if (body % 8 !== 0)
    throw new WireError(`fields of ${body} bytes are not whole u64s`, view.byteLength - (body % 8));
  const count = view.getUint8(12) === 0 ? 0 : body / 8;
  const fields = new BigUint64Array(count);
  for (let i = 0; i < count; i++) fields[i] = view.getBigUint64(MEASURE_HEADER_BYTES + 8 * i, true);
  return { flowId, programUid: view.getUint32(8, true), fields };
}
