/** What a BBRv3 flow went through: its model after each ACK (or report) and at each change of state. */
import type { Bbr3State } from "../../../algorithms/bbr3/control.ts";
import type { Bbr3Model, Bbr3Moment, Bbr3Undo, Bbr3Watch } from "../../../algorithms/bbr3/model.ts";
import { MICROS_PER_MILLI, MICROS_PER_SEC } from "../../../core/units.ts";

/** Seconds from the flow's start, bytes, bytes per second; names as the draft's. */
export interface Snapshot {
  readonly atSec: number;
  readonly state: Bbr3State;
  readonly pacingGain: number;
  readonly cwndGain: number;
  readonly cwnd: number;
  readonly pacingRate: number;
  readonly maxBw: number;
  readonly bw: number;
  readonly bwShortterm: number;
  readonly inflightShortterm: number;
  readonly inflightLongterm: number;
  readonly extraAcked: number;
  readonly minRttSec: number;
  /** Inflight(1.0), InflightWithHeadroom() */
  readonly inflightOfBdp: number;
  readonly inflightWithHeadroom: number;
  readonly rounds: number;
  readonly roundsInDrain: number;
  readonly upRounds: number;
  readonly fullBwReached: boolean;
  readonly fullBwNow: boolean;
  readonly fullBwCount: number;
  readonly idleRestart: boolean;
  readonly prevProbeTooHigh: boolean;
  readonly undoState: Bbr3Undo["state"];
  /** RS.is_app_limited, C.inflight and RS.delivery_rate of the latest ACK */
  readonly appLimited: boolean;
  readonly inflight: number;
  readonly deliveryRate: number;
  readonly delivered: number;
}

export interface StateChange {
  readonly from: Bbr3State;
  readonly to: Bbr3State;
  readonly at: Snapshot;
}

/** The state that an undo restored, against what had been saved. */
export interface Undone {
  readonly at: Snapshot;
  readonly saved: Pick<Snapshot, "bwShortterm" | "inflightShortterm" | "inflightLongterm">;
  /** state that the losses had ended, where there was one */
  readonly undoState: Bbr3Undo["state"];
  /** state after the undo */
  to: Bbr3State;
}

export class Bbr3Trace {
  readonly acks: Snapshot[] = [];
  readonly changes: StateChange[] = [];
  readonly undone: Undone[] = [];
  readonly saves: Snapshot[] = [];
  readonly highLosses: Snapshot[] = [];
  readonly idleRestarts: Snapshot[] = [];

  /** Pass to the algorithm; of one flow that starts at 0. */
  readonly watch: Bbr3Watch = (moment: Bbr3Moment, model: Bbr3Model) => {
    const at = snapshot(moment.nowUs, model);
    switch (moment.kind) {
      case "ack":
        this.acks.push(at);
        break;
      case "state":
        this.changes.push({ from: moment.from, to: moment.to, at });
        break;
      case "save":
        this.saves.push(at);
        break;
      case "undo":
        this.undone.push({
          at,
          saved: {
            bwShortterm: model.undo.bwShortterm,
            inflightShortterm: model.undo.inflightShortterm,
            inflightLongterm: model.undo.inflightLongterm,
          },
          undoState: moment.undoState,
          to: model.state,
        });
        return;
      case "high-loss":
        this.highLosses.push(at);
        break;
      case "idle-restart":
        this.idleRestarts.push(at);
    }
    const last = this.undone.at(-1);
    if (last !== undefined && last.at.atSec === at.atSec) last.to = at.state;
  };

  /** The first change from one state, to another where it is given, after a time. */
  change(from: Bbr3State, to?: Bbr3State, afterSec: number = 0): StateChange | undefined {
    return this.changesOf(from, to).find(({ at }) => at.atSec >= afterSec);
  }

  changesOf(from: Bbr3State, to?: Bbr3State): StateChange[] {
    return this.changes.filter((each) => each.from === from && (to === undefined || each.to === to));
  }

  /** The changes of state as qlog events, which belong behind those of the sender: a reader sorts by time. */
  qlogEvents(): string {
    return this.changes
      .map(({ from, to, at }) => {
        const time = Math.round(at.atSec * MICROS_PER_SEC) / MICROS_PER_MILLI;
        const event = { time, name: "recovery:congestion_state_updated", data: { old: from, new: to } };
        return `\u001e${JSON.stringify(event)}\n`;
      })
      .join("");
  }

  /** What the model was after each ACK from one time to another. */
  between(fromSec: number, toSec: number = Number.POSITIVE_INFINITY): Snapshot[] {
    return this.acks.filter(({ atSec }: Snapshot) => atSec >= fromSec && atSec <= toSec);
  }
}

function snapshot(nowUs: number, model: Bbr3Model): Snapshot {
  const { ack } = model;
  return {
    atSec: nowUs / MICROS_PER_SEC,
    state: model.state,
    pacingGain: model.pacingGain,
    cwndGain: model.cwndGain,
    cwnd: model.cwndBytes,
    pacingRate: model.pacingRateBytesPerSec,
    maxBw: model.maxBw.value,
    bw: model.bw,
    bwShortterm: model.signals.bwShortterm,
    inflightShortterm: model.signals.inflightShortterm,
    inflightLongterm: model.longTerm.bytes,
    extraAcked: model.aggregation.bytes,
    minRttSec: model.minRtt.us / MICROS_PER_SEC,
    inflightOfBdp: model.inflight(1),
    inflightWithHeadroom: model.inflightWithHeadroom(),
    rounds: model.round.count,
    roundsInDrain: model.round.count - model.drainStartRound,
    upRounds: model.longTerm.upRounds,
    fullBwReached: model.fullPipe.reached,
    fullBwNow: model.fullPipe.now,
    fullBwCount: model.fullPipe.count,
    idleRestart: model.idleRestart,
    prevProbeTooHigh: model.prevProbeTooHigh,
    undoState: model.undo.state,
    appLimited: ack.appLimited,
    inflight: ack.inflightBytes,
    deliveryRate: ack.rateBytesPerSec,
    delivered: ack.deliveredBytes,
  };
}
