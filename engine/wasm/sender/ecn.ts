/** Explicit congestion notification: marks that ACKs tell of, and when a reaction to them is due (RFC 3168, RFC 9768). */
import { NO_LIMIT } from "../units";
import { Arrivals, CE } from "./arrivals";
import { EcnMode } from "./sender-words";

@unmanaged
export class Ecn {
  mode: EcnMode;
  /** first transmission sent after the latest reaction (it carries CWR); NO_LIMIT: the receiver has heard */
  reactedTxn: i64;
  /** no reaction before the cumulative ACK has passed this sequence */
  point: i64;
  /** classic ECN: the receiver echoes until it hears of the reaction */
  isEchoed: bool;

  init(): void {
    this.reactedTxn = NO_LIMIT;
    this.point = -1;
  }

  /** Counts the marks that an ACK covers, and follows the receiver's echo in order of arrival (RFC 3168 6.1.3). */
  coverMarks(list: Arrivals, arrivals: i64): i32 {
    let marked = 0;
    for (let n = list.covered; n < arrivals; n++) {
      const what = list.what(n);
      if (what >> 2 >= this.reactedTxn) {
        this.isEchoed = false;
        this.reactedTxn = NO_LIMIT;
      }
      if ((what & CE) !== 0) {
        this.isEchoed = true;
        marked++;
      }
    }
    return marked;
  }

  /** Packets that the ACK tells of as marked. */
  toldPackets(marked: i32, deliveredPackets: i64): i64 {
    if (this.mode !== EcnMode.classic) return marked;
    return this.isEchoed ? deliveredPackets : 0;
  }

  /** RFC 3168 6.1.2: at most one reaction per window of data. */
  isReactionDue(marked: i32, cumulative: i64): bool {
    const told = this.mode === EcnMode.classic ? this.isEchoed : marked > 0;
    return told && cumulative > this.point;
  }

  /** The congestion control reacts, to marks or to losses. */
  onReaction(nextSequence: i64, nextTxn: i64): void {
    this.point = nextSequence;
    this.reactedTxn = nextTxn;
  }
}
