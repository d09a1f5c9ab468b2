/**
 * A server whose rate changes over time: a packet leaves when the area under the rate since its service began has reached
 * its size. Where the rate is 0 a packet in service pauses, and none starts.
 */
import type { Bytes, Nanos } from "../../core/units.ts";
import { areaBetween, areaUntil, holdsAt, type Piece, type Piecewise, valueAt } from "./piecewise.ts";
import type { Server } from "./server.ts";

const isClosed = (piece: Piece): boolean => piece.value === 0 && piece.slope === 0;

/** How long a piece needs from `atNs` for so many bytes, of which it is known that they fit. */
function spanFor(piece: Piece, atNs: Nanos, bytes: Bytes): Nanos {
  const rate = valueAt(piece, atNs);
  if (piece.slope === 0) return bytes / rate;
  // slope/2 t^2 + rate t = bytes, in the form that does not cancel
  return (2 * bytes) / (rate + Math.sqrt(Math.max(0, rate * rate + 2 * piece.slope * bytes)));
}

export class ScheduledServer implements Server {
  readonly #rate: Piecewise;
  /** where the last service ended, and the last question about capacity */
  #servingPiece: Piece;
  #askedPiece: Piece;
  /** the serving piece if its rate is constant and not 0, for the common case of a packet within it; else an empty span */
  #steadyFromNs: Nanos = 0;
  #steadyToNs: Nanos = 0;
  #steadyBytesPerNs = 0;
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  /** @param rate bytes per nanosecond */
  constructor(rate: Piecewise) {
    this.#rate = rate;
    this.#servingPiece = this.#askedPiece = rate.pieceAt(0);
    this.#enter(this.#servingPiece);
  }

  readyNs(sinceNs: Nanos): Nanos {
    const earliest = sinceNs > this.departNs ? sinceNs : this.departNs;
    if (earliest >= this.#steadyFromNs && earliest < this.#steadyToNs) return earliest;
    return earliest === Number.POSITIVE_INFINITY ? earliest : this.#openFrom(earliest);
  }

  serve(sinceNs: Nanos, bytes: Bytes): void {
    const startNs = this.readyNs(sinceNs);
    this.startNs = startNs;
    if (startNs >= this.#steadyFromNs && startNs < this.#steadyToNs) {
      const departNs = startNs + bytes / this.#steadyBytesPerNs;
      if (departNs <= this.#steadyToNs) {
        this.departNs = departNs;
        return;
      }
    }
    this.departNs = startNs === Number.POSITIVE_INFINITY ? startNs : this.#serveOverPieces(startNs, bytes);
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return -this.#areaUntil(fromNs) + this.#areaUntil(toNs);
  }

  #serveOverPieces(startNs: Nanos, bytes: Bytes): Nanos {
    let atNs = startNs;
    let piece = this.#pieceAt(startNs);
    let left = bytes;
    for (;;) {
      const rest = areaBetween(piece, atNs, piece.toNs);
      if (left <= rest) break;
      if (piece.toNs === Number.POSITIVE_INFINITY) return piece.toNs;
      if (rest > 0) left -= rest;
      atNs = piece.toNs;
      piece = this.#rate.pieceAt(atNs);
    }
    if (piece !== this.#servingPiece) this.#enter(piece);
    return Math.min(piece.toNs, atNs + spanFor(piece, atNs, left));
  }

  #enter(piece: Piece): void {
    this.#servingPiece = piece;
    const isSteady = piece.slope === 0 && piece.value > 0;
    this.#steadyFromNs = piece.fromNs;
    this.#steadyToNs = isSteady ? piece.toNs : piece.fromNs;
    this.#steadyBytesPerNs = piece.value;
  }

  #pieceAt(ns: Nanos): Piece {
    return holdsAt(this.#servingPiece, ns) ? this.#servingPiece : this.#rate.pieceAt(ns);
  }

  /** The first time at or after `ns` at which the rate is not 0. */
  #openFrom(ns: Nanos): Nanos {
    let atNs = ns;
    let piece = this.#pieceAt(ns);
    while (isClosed(piece)) {
      atNs = piece.toNs;
      if (atNs === Number.POSITIVE_INFINITY) return atNs;
      piece = this.#rate.pieceAt(atNs);
    }
    return atNs;
  }

  #areaUntil(ns: Nanos): number {
    if (!holdsAt(this.#askedPiece, ns)) this.#askedPiece = this.#rate.pieceAt(ns);
    return areaUntil(this.#askedPiece, ns);
  }
}
