import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CE, ECT_0, ECT_1, NOT_ECT } from "../../../sim/general/packet-store.ts";
import { FlowNumbers, MAX_FLOWS } from "../../../testbeds/emulated/flow-numbers.ts";
import { emptyHead, flowHash, markPacket, readHead } from "../../../testbeds/emulated/ip-packet.ts";

/** The ones' complement sum of an IPv4 header, which is 0xffff where its checksum is right (RFC 1071). */
function sumOf(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < (packet[0]! & 0xf) * 4; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

function packetOf(fields: {
  tos: number;
  protocol: number;
  addresses: number[];
  body: number[];
}): Uint8Array {
  const { tos, protocol, addresses, body } = fields;
  const packet = Uint8Array.from([
    0x45,
    tos,
    0,
    20 + body.length,
    1,
    2,
    0x40,
    0,
    64,
    protocol,
    0,
    0,
    ...addresses,
    ...body,
  ]);
  const checksum = ~sumOf(packet) & 0xffff;
  packet[10] = checksum >> 8;
  packet[11] = checksum & 0xff;
  return packet;
}

const ADDRESSES = [100, 64, 0, 1, 100, 64, 0, 2];
/** ports 1000 and 5201, header of 20 bytes, and flags */
const tcp = (flags: number, payload = 0): number[] => [
  ...[3, 232, 20, 81, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0],
  ...new Array(payload).fill(7),
];

describe("packets of an emulated link", () => {
  it("are marked with a right checksum, whatever their header says", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 8, maxLength: 8 }),
        (tos, addresses) => {
          const packet = packetOf({ tos, protocol: 17, addresses, body: [] });
          expect(sumOf(packet)).toBe(0xffff);
          markPacket(packet);
          expect(packet[1]! & 3).toBe(3);
          expect(sumOf(packet)).toBe(0xffff);
        },
      ),
    );
  });

  it("are read: ports, ECN, ACKs without data", () => {
    const head = emptyHead();
    const read = (tos: number, body: number[], protocol = 6) => {
      const packet = packetOf({ tos, protocol, addresses: ADDRESSES, body });
      readHead(packet, packet.length, head);
      return { ...head };
    };
    expect(read(0, tcp(0x10))).toMatchObject({
      isIpv4: true,
      sourcePort: 1000,
      destinationPort: 5201,
      ecn: NOT_ECT,
      isAck: true,
    });
    expect(read(1, tcp(0x10, 5))).toMatchObject({ ecn: ECT_1, isAck: false });
    expect(read(2, tcp(0x12))).toMatchObject({ ecn: ECT_0, isAck: false });
    expect(read(3, tcp(0x11))).toMatchObject({ ecn: CE, isAck: false });
    expect(read(0, [3, 232, 20, 81, 0, 9, 0, 0, 42], 17)).toMatchObject({ isAck: false, udpPayloadAt: 28 });
    expect(read(0, [8, 0, 0, 0, 0, 0, 0, 0], 1)).toMatchObject({ sourcePort: 0, destinationPort: 0 });
    readHead(Uint8Array.of(0x60, 0, 0, 0), 4, head);
    expect(head.isIpv4).toBe(false);
  });

  it("belong to one flow by addresses, protocol and ports, and few numbers serve any number of flows", () => {
    const head = emptyHead();
    const hash = (addresses: number[], body: number[]): number => {
      const packet = packetOf({ tos: 0, protocol: 6, addresses, body });
      readHead(packet, packet.length, head);
      return flowHash(packet, head);
    };
    const one = hash(ADDRESSES, tcp(0x10));
    expect(hash(ADDRESSES, tcp(0x10, 9))).toBe(one);
    expect(hash([...ADDRESSES.slice(4), ...ADDRESSES.slice(0, 4)], tcp(0x10))).not.toBe(one);
    expect(hash(ADDRESSES, [3, 233, ...tcp(0x10).slice(2)])).not.toBe(one);
    const numbers = new FlowNumbers();
    expect(numbers.numberOf(one)).toBe(0);
    for (let i = 1; i < MAX_FLOWS; i++) expect(numbers.numberOf(one + i)).toBe(i);
    expect(numbers.numberOf(one)).toBe(0);
    expect(numbers.numberOf(one - 1)).toBe(0);
    expect(numbers.numberOf(one)).toBe(1);
  });
});
