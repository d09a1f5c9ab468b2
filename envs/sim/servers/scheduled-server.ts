/**
 * A server whose rate changes over time: a packet leaves when the area under the rate since its service began has reached
 * its size. Where the rate is 0 a packet in service pauses, and none starts.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { areaBetween, areaUntil, type Piece, type Piecewise, valueAt } from "./piecewise.ts";
import type { Server } from "./server.ts";

const isClosed = (piece: Piece): boolean => piece.value === 0 && piece.slope === 0;

const holdsAt = (piece: Piece, ns: Nanos): boolean => ns >= piece.fromNs && ns < piece.toNs;

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
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  /** @param rate bytes per nanosecond */
  constructor(rate: Piecewise) {
    this.#rate = rate;
    this.#servingPiece = this.#askedPiece = rate.pieceAt(0);
  }

  readyNs(sinceNs: Nanos): Nanos {
    const earliest = sinceNs > this.departNs ? sinceNs : this.departNs;
    return earliest === Number.POSITIVE_INFINITY
      ? earliest
      : this.#openFrom(earliest, this.#pieceAt(earliest));
  }

  serve(sinceNs: Nanos, bytes: Bytes): void {
    let atNs = this.readyNs(sinceNs);
    this.startNs = atNs;
    this.departNs = Number.POSITIVE_INFINITY;
    if (atNs === Number.POSITIVE_INFINITY) return;
    let piece = this.#pieceAt(atNs);
    let left = bytes;
    for (;;) {
      const rest = areaBetween(piece, atNs, piece.toNs);
      if (left <= rest) break;
      if (piece.toNs === Number.POSITIVE_INFINITY) return;
      if (rest > 0) left -= rest;
      atNs = piece.toNs;
      piece = this.#rate.pieceAt(atNs);
    }
    this.departNs = Math.min(piece.toNs, atNs + spanFor(piece, atNs, left));
    this.#servingPiece = piece;
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return -this.#areaUntil(fromNs) + this.#areaUntil(toNs);
  }

  #pieceAt(ns: Nanos): Piece {
    return holdsAt(this.#servingPiece, ns) ? this.#servingPiece : this.#rate.pieceAt(ns);
  }

  /** The first time at or after `ns`, which lies in `piece`, at which the rate is not 0. */
  #openFrom(ns: Nanos, piece: Piece): Nanos {
    let at = ns;
    let current = piece;
    while (isClosed(current)) {
      at = current.toNs;
      if (at === Number.POSITIVE_INFINITY) return at;
      current = this.#rate.pieceAt(at);
    }
    return at;
  }

  #areaUntil(ns: Nanos): number {
    if (!holdsAt(this.#askedPiece, ns)) this.#askedPiece = this.#rate.pieceAt(ns);
    return areaUntil(this.#askedPiece, ns);
  }
}
