/**
 * What `fuzz:transport` gives to live stacks and to ends that meet by a store: messages that no honest peer sends, and records that somebody has
 * changed in the store.
 */
import { assert, CcparkError } from "../../../core/errors.ts";
import type { Rng } from "../../../core/random.ts";
import { NEGOTIATION, openFrame, sealFrame } from "../../../transport/chunnels/framing/frame.ts";
import {
  type ChunnelSpec,
  cc,
  encrypt,
  epochSession,
  frame,
  GroupStack,
  LiveStack,
  MemoryNetwork,
  MemoryStore,
  memory,
  nothing,
  OpenStack,
  type OpenWay,
  order,
  reliable,
  type Slot,
  sack,
  seededSurroundings,
  select,
  stack,
  VirtualClock,
} from "../../../transport/index.ts";
import {
  CONSENT,
  encodeConsent,
  encodeProposal,
  encodeRefusal,
  headed,
  PROPOSAL,
  REFUSAL,
} from "../../../transport/live/messages.ts";
import { offerOf } from "../../../transport/negotiate/choose.ts";
import { encodeOffer } from "../../../transport/negotiate/offer-wire.ts";

const SPECS: readonly ChunnelSpec[] = stack(
  order(),
  reliable(),
  cc({ algorithm: "native-reno" }),
  sack(),
  frame(),
  memory(),
);
const SECRET = encrypt({ secret: "fuzz" });
const SLOTS: readonly Slot[] = [...SPECS.slice(0, 4), select(nothing(), SECRET), ...SPECS.slice(4)];
const MAX_WAITING = 100_000;

/** Some bytes are others, some at the end are missing or too many. */
function changed(bytes: Uint8Array, rng: Rng): Uint8Array {
  const length = rng.next() < 0.2 ? rng.integer(bytes.length + 8) : bytes.length;
  const other = new Uint8Array(length);
  other.set(bytes.subarray(0, length));
  for (let i = rng.integer(4); i > 0 && length > 0; i--) other[rng.integer(length)] = rng.integer(256);
  return other;
}

function randomBytes(rng: Rng, most: number): Uint8Array {
  return Uint8Array.from({ length: rng.integer(most) }, () => rng.integer(256));
}

/** Changed inside, with a right checksum. */
function resealed(datagram: Uint8Array, rng: Rng): Uint8Array {
  for (const version of [NEGOTIATION, undefined]) {
    const opened = openFrame(datagram, version);
    if (opened === undefined) continue;
    const session = rng.next() < 0.1 ? changed(opened.session.slice(), rng).subarray(0, 8) : opened.session;
    return session.length < 8 ? datagram : sealFrame(session, changed(opened.body, rng), version);
  }
  return changed(datagram, rng);
}

/** One that no honest peer sends, and now and then one that it does. */
function liveMessage(rng: Rng, epoch: number): Uint8Array {
  const number = rng.next() < 0.8 ? epoch + rng.integer(3) : rng.integer(100_000);
  const whole = [
    () =>
      headed(
        PROPOSAL,
        encodeProposal({ epoch: number, base: "", address: "", offer: encodeOffer(offerOf(SLOTS)) }),
      ),
    () =>
      headed(
        PROPOSAL,
        encodeProposal({ epoch: number, base: "unix", address: "there", offer: encodeOffer(offerOf(SPECS)) }),
      ),
    () => {
      const places = () => Array.from({ length: rng.integer(6) }, () => rng.integer(3));
      return headed(
        CONSENT,
        encodeConsent({ epoch: number, address: "", choice: { client: places(), server: places() } }),
      );
    },
    () => headed(REFUSAL, encodeRefusal({ epoch: number, why: "no" })),
    () => Uint8Array.of(rng.integer(8)),
    () => randomBytes(rng, 40),
  ][rng.integer(6)]!();
  return rng.next() < 0.5 ? whole : changed(whole, rng);
}

/** A live stack whose peer has the right stack and session, and says what it likes. */
export function fuzzLive(rng: Rng, count: number): void {
  let made = 0;
  for (let given = 0; given < count; made++) {
    const clock = new VirtualClock();
    const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const side = made % 2 === 0 ? "server" : "client";
    let isOver = false;
    const openWay: OpenWay = (_base, _onDatagram, done) => {
      done({ port: { self: "way", maxBytes: 1472, room: () => 100, send: () => {} } });
    };
    const live: LiveStack = new LiveStack({
      side,
      surroundings: seededSurroundings(clock, rng.fork(`live ${made}`)),
      slots: SLOTS,
      openWay,
      app: {
        receive: () => {},
        fail: () => {
          isOver = true;
        },
      },
      way: {
        peer: "raw",
        port: {
          self: "live",
          maxBytes: 1472,
          room: () => Number.POSITIVE_INFINITY,
          send: (datagram) => {
            const copy = datagram.slice();
            clock.wakeAt(clock.nowUs + 500, () => raw.arrive(copy, "live"));
          },
        },
      },
    });
    const raw: OpenStack = new OpenStack({
      stack: SPECS,
      surroundings: seededSurroundings(clock, rng.fork(`raw ${made}`)),
      side: side === "server" ? "client" : "server",
      peer: "live",
      session: epochSession(session, 0),
      port: {
        self: "raw",
        maxBytes: 1472,
        room: () => Number.POSITIVE_INFINITY,
        send: (datagram) => {
          const copy = datagram.slice();
          clock.wakeAt(clock.nowUs + 500, () => live.arrive(copy, "raw"));
        },
      },
      app: { receive: () => {}, fail: () => {} },
    });
    live.open({ stack: SPECS, transcript: new Uint8Array(16), session });
    for (let i = 0; i < 100 && given < count && !isOver; i++, given++) {
      if (raw.room() > 0) raw.send([{ data: liveMessage(rng, live.epoch) }]);
      if (rng.next() < 0.1) live.upgrade(rng.next() < 0.5 ? SLOTS : SPECS, () => {});
      if (rng.next() < 0.1) live.send([{ data: new Uint8Array(10) }]);
      clock.run(clock.nowUs + rng.integer(20_000));
    }
    given++;
    assert(clock.waiting < MAX_WAITING, "timers pile up");
    live.close();
    raw.close();
  }
}

/** Some of the record's fields are those of another, or nonsense. */
function changedRecord(value: Uint8Array, rng: Rng): Uint8Array {
  if (rng.next() < 0.1) return changed(value, rng);
  let record: Record<string, unknown> | null;
  try {
    record = JSON.parse(new TextDecoder().decode(value));
  } catch {
    return value;
  }
  // an earlier change may have left a number, which is JSON too
  if (typeof record !== "object" || record === null) return value;
  const keys = Object.keys(record);
  for (let i = 1 + rng.integer(2); i > 0; i--) {
    const key = [...keys, "proposal", "settled"][rng.integer(keys.length + 2)]!;
    const members = record.members as { id: string; address: string }[] | undefined;
    const someone = Array.isArray(members) ? (members[0]?.id ?? "x") : "x";
    record[key] = [
      undefined,
      rng.integer(10),
      1e300,
      "text",
      [],
      { number: rng.integer(10), by: someone, offer: record.offer, consents: [someone] },
      { number: rng.integer(10), by: someone, why: "why" },
      [...(Array.isArray(members) ? members : []), { id: `new ${rng.integer(5)}`, address: "nobody" }],
    ][rng.integer(8)];
  }
  record.version = typeof record.version === "number" ? record.version + rng.integer(3) : record.version;
  return new TextEncoder().encode(JSON.stringify(record));
}

/** Three ends in whose store somebody else writes. */
export function fuzzGroup(rng: Rng, count: number): void {
  let made = 0;
  for (let given = 0; given < count; made++) {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock, rng.fork(`network ${made}`), {
      path: () => ({ delayUs: 1_000 }),
    });
    const store = new MemoryStore();
    const errors: CcparkError[] = [];
    const groups = Array.from({ length: 3 }, (_, i) => {
      const group: GroupStack = new GroupStack({
        store,
        key: "k",
        slots: SLOTS,
        surroundings: seededSurroundings(clock, rng.fork(`end ${made} ${i}`)),
        port: network.host(`end ${i}`, (datagram, from) => group.arrive(datagram, from)),
        app: { receive: () => {}, fail: (error) => void errors.push(error) },
      });
      return group;
    });
    clock.run(100_000);
    for (let i = 0; i < 40 && given < count && errors.length < 3; i++, given++) {
      store.get("k", (entry) => {
        if (entry === undefined || entry instanceof CcparkError) return;
        if (rng.next() < 0.5) store.swap("k", entry.revision, changedRecord(entry.value, rng), () => {});
      });
      const group = groups[rng.integer(3)]!;
      group.arrive(resealed(sealFrame(new Uint8Array(8), randomBytes(rng, 30)), rng), "end 0");
      if (rng.next() < 0.3) group.upgrade(rng.next() < 0.5 ? SLOTS : SPECS, () => {});
      if (rng.next() < 0.3) group.send([{ data: new Uint8Array(10) }]);
      if (rng.next() < 0.02) group.leave();
      clock.run(clock.nowUs + rng.integer(1_500_000));
    }
    given++;
    assert(clock.waiting < MAX_WAITING, "timers pile up");
    for (const group of groups) group.close();
  }
}
