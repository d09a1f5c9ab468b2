/** What the thread of a run's hosts shares with the one that started it. */

/** A sender's row: words of 32 bits. */
export const ROW = { state: 0, fd: 1 } as const;
export const ROW_WORDS = 2;

export const SENDER_STATE = { idle: 0, sending: 1, done: 2 } as const;

export interface BulkData {
  /** descriptor: readable when something has changed here */
  readonly wake: number;
  /** listening socket of the receivers' host */
  readonly listener: number;
  /** not 0: the thread is to end */
  readonly state: Int32Array;
  readonly rows: Int32Array;
  /** what each sender still has to send; Infinity: it never ends */
  readonly leftBytes: Float64Array;
}
