/**
 * Congestion episodes, one reaction of the congestion control each, and what disproves them. One arrival of what was judged lost
 * makes a timeout spurious (RFC 3522, RFC 5682), all of them a fast recovery (RFC 3708); then the reaction is taken back
 * (RFC 4015).
 */

/** Of the latest episode: what can be taken back. */
export const enum Undoable {
  nothing,
  recovery,
  timeout,
}

@unmanaged
export class Undo {
  /** numbered from 1: what `Transmission.note` holds */
  episode: i32;
  undoable: Undoable;
  /** transmissions judged lost in the episode, and those of them that have arrived all the same */
  judgedLost: i64;
  disproved: i64;
  /** the option is chosen */
  isOn: bool;

  /** @param what the congestion control was told of it when no other episode went on, so that undoing it is well defined */
  begin(what: Undoable): void {
    this.episode++;
    this.undoable = this.isOn ? what : Undoable.nothing;
    this.judgedLost = this.disproved = 0;
  }

  /** @returns what the arrivals so far have disproved; it cannot be undone twice */
  take(): Undoable {
    const what = this.undoable;
    if (what === Undoable.recovery && this.disproved < this.judgedLost) return Undoable.nothing;
    this.undoable = Undoable.nothing;
    return what;
  }
}
