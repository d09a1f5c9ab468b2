/** What a congestion control hears of single packets, against a trace computed by hand. */
import { describe, expect, it } from "vitest";
import type {
  AckEvent,
  CongestionControl,
  PacketEvent,
  SentEvent,
} from "../../ccp-bridge/congestion-control.ts";
import { MSS_BYTES } from "../../core/units.ts";
import { Sender } from "../../engine/sender.ts";
import type { SenderOptions } from "../../scenarios/sender-options.ts";

const MS_NS = 1_000_000;

/** Number; packets delivered before, in flight with it, lost since; application-limited. */
type Told = readonly [number, number, number, number, boolean];

const told = (packet: PacketEvent): Told => [
  packet.packetNumber,
  packet.priorDeliveredBytes / MSS_BYTES,
  packet.txInflightBytes / MSS_BYTES,
  packet.lostSinceSentBytes / MSS_BYTES,
  packet.appLimited,
];

class Listener implements CongestionControl {
  readonly name = "listener";
  readonly readsPackets: boolean;
  readonly pacingRateBytesPerSec: undefined;
  readonly cwndBytes = 4 * MSS_BYTES;
  readonly sent: (readonly [number, number, number])[] = [];
  readonly acked: Told[] = [];
  readonly lost: Told[] = [];
  readonly samples: (Told | undefined)[] = [];
  readonly times: (readonly [number, number])[] = [];

  constructor(readsPackets = true) {
    this.readsPackets = readsPackets;
  }

  onSent({ packetNumber, sentBytes, inflightBytes }: SentEvent): void {
    this.sent.push([packetNumber, sentBytes / MSS_BYTES, inflightBytes / MSS_BYTES]);
  }

  onPacketAcked(packet: PacketEvent): void {
    this.acked.push(told(packet));
    this.times.push([packet.sentUs, packet.nowUs]);
    expect(packet.bytes).toBe(MSS_BYTES);
  }

  onPacketLost(packet: PacketEvent): void {
    this.lost.push(told(packet));
  }

  onAck({ packet }: AckEvent): void {
    this.samples.push(packet && told(packet));
  }

  onCongestion(): void {}
}

class Path {
  readonly sender: Sender;
  nowMs = 0;

  constructor(control: CongestionControl, options: SenderOptions = {}) {
    this.sender = new Sender(control, 0, options);
  }

  send(): void {
    while (this.sender.sendAtNs <= this.nowMs * MS_NS) this.sender.transmit(this.nowMs * MS_NS);
  }

  /** The packets reach the receiver, each is acknowledged at once, and what that lets out leaves. */
  deliver(atMs: number, ...packets: number[]): void {
    this.nowMs = atMs;
    for (const packet of packets) {
      this.sender.markArrival(packet, atMs * MS_NS, true, false);
      this.sender.onAck(atMs * MS_NS, this.sender.arrivals);
      this.send();
    }
  }
}

describe("a congestion control that reads packets", () => {
  it("hears of each with the state that it was sent in, and the losses since", () => {
    const control = new Listener();
    const path = new Path(control);
    path.send();
    path.deliver(50, 0); // lets 4 out
    path.deliver(60, 2, 3, 4); // lets 5 and 6 out; the third proves 1 lost: 7 repeats it, and 8 goes
    path.deliver(110, 7);

    expect(control.sent.map(([number]) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(control.sent.map(([, packets]) => packets)).toEqual(Array(10).fill(1));
    expect(control.sent.map(([, , inflight]) => inflight)).toEqual([1, 2, 3, 4, 4, 4, 4, 3, 4, 4]);
    expect(control.acked).toEqual([
      [0, 0, 1, 0, false],
      [2, 0, 3, 0, false],
      [3, 0, 4, 0, false],
      [4, 1, 4, 0, false],
      [7, 4, 3, 0, false],
    ]);
    expect(control.times).toEqual([
      [0, 50_000],
      [0, 60_000],
      [0, 60_000],
      [50_000, 60_000],
      [60_000, 110_000],
    ]);
    expect(control.lost).toEqual([[1, 0, 2, 1, false]]);
    // the sample of the ACK that reveals the loss counts it
    expect(control.samples.map((each) => each?.[3])).toEqual([0, 0, 0, 1, 0]);
    expect(control.samples[3]).toEqual([4, 1, 4, 1, false]);
  });

  it.each(["packet-threshold", "rack-tlp"] as const)(
    "hears of all that a timeout judges lost, and the timeout has no sample (%s)",
    (lossDetection) => {
      const control = new Listener();
      const path = new Path(control, { lossDetection });
      path.send();
      path.deliver(50, 0);
      while (path.sender.timeouts === 0) {
        path.nowMs = path.sender.timerAtNs / MS_NS;
        path.sender.onTimer(path.sender.timerAtNs);
        path.send();
      }
      const numbers = control.lost.map(([number]) => number);
      expect(numbers.slice(0, 3)).toEqual([1, 2, 3]);
      expect(control.lost.map(([, , , lost]) => lost)).toEqual(numbers.map((_, i) => i + 1));
      expect(control.samples.at(-1)).toBeUndefined();
    },
  );

  it("hears what was sent while the application limited the flow", () => {
    const control = new Listener();
    const path = new Path(control);
    path.sender.withdraw(0);
    path.sender.supply(2, 0);
    path.send();
    path.deliver(50, 0);
    path.sender.supply(10, 50 * MS_NS);
    path.send();
    path.deliver(100, 1, 2, 3);
    path.deliver(150, 4, 5, 6);
    // up to 1 nothing was left behind; 2 to 5 left before all that was in flight then (0 and 1) was known to be delivered
    expect(control.acked.map(([number, , , , appLimited]) => [number, appLimited])).toEqual([
      [0, true],
      [1, true],
      [2, true],
      [3, true],
      [4, true],
      [5, true],
      [6, false],
    ]);
  });
});

describe("one that reads packets and hears only of what is sent from idle", () => {
  it("is told of nothing else that is sent, and its ACKs tell the same of packets", () => {
    const script = (control: Listener): Listener => {
      const path = new Path(control);
      path.send();
      path.deliver(50, 0);
      path.deliver(60, 1, 2); // in order
      path.deliver(70, 4, 5, 6); // proves 3 lost
      path.deliver(120, 7, 8, 9, 10);
      path.sender.withdraw(120 * MS_NS);
      path.deliver(170, ...Array.from({ length: path.sender.inflightPackets }, (_, i) => 11 + i));
      expect(path.sender.inflightPackets).toBe(0);
      path.sender.supply(3, 200 * MS_NS);
      path.nowMs = 200;
      path.send();
      return control;
    };
    const all = script(new Listener());
    // without `onPacketAcked` ACKs in order are handled by a way of their own
    const few = script(
      Object.assign(new Listener(), { hearsSent: "from-idle" as const, onPacketAcked: undefined! }),
    );
    expect(all.sent.length).toBeGreaterThan(10);
    expect(few.sent).toEqual(all.sent.filter(([, , inflight]) => inflight === 1));
    expect(few.sent).toHaveLength(2);
    expect(few.samples).toEqual(all.samples);
    expect(few.lost).toEqual(all.lost);
    expect(all.lost).toHaveLength(1);
  });
});

describe("one that does not", () => {
  it("hears of none, and the same flow goes on", () => {
    const control = new Listener(false);
    const path = new Path(control);
    path.send();
    path.deliver(50, 0);
    path.deliver(60, 2, 3, 4);
    expect(control.sent).toHaveLength(9);
    expect([control.acked, control.lost]).toEqual([[], []]);
    expect(control.samples).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("the state", () => {
  it("is what Linux calls it: open, disorder, recovery, loss, and open again", () => {
    const path = new Path(new Listener());
    const states: string[] = [];
    const look = (): void => {
      states.push(path.sender.state);
    };
    path.send();
    path.deliver(50, 0);
    look();
    path.deliver(60, 2);
    look();
    path.deliver(60, 3, 4);
    look();
    path.sender.onTimer(path.sender.timerAtNs);
    look();
    expect(states).toEqual(["open", "disorder", "recovery", "loss"]);
    path.nowMs = 2_000;
    path.send();
    for (let packet = 9; path.sender.state === "loss" && packet < 40; packet++) path.deliver(2_100, packet);
    expect(path.sender.state).not.toBe("loss");
  });
});
