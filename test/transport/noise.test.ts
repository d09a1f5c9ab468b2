/** The handshake against the vectors that the authors of `cacophony` published for Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s. */
import { expect, it } from "vitest";
import { Handshake, seal, unseal } from "../../transport/chunnels/framing/noise.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (of: Uint8Array): string => Buffer.from(of).toString("hex");

const PROLOGUE = bytes("4a6f686e2047616c74");
const PSK = bytes("54686973206973206d7920417573747269616e20706572737065637469766521");
const CLIENT = bytes("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a");
const SERVER = bytes("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b");
/** payload, as it is on the wire; in turn of the client and of the server */
const MESSAGES: readonly (readonly [string, string])[] = [
  [
    "4c756477696720766f6e204d69736573",
    "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944fda936bec35a8adfdff198386f7d5475880897edaaf7495314c99095a2e4d66a",
  ],
  [
    "4d757272617920526f746862617264",
    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088434cd2a371993ba41ea11448024fca32766b169183c9e691a7a433279da7e729",
  ],
  ["462e20412e20486179656b", "bc44da303ae0beb08075fc4eb4e58235c67c2d1f53a4f2fff0bca7"],
  ["4361726c204d656e676572", "416d1af83e9fa6966ce4e871156b131aa9bd7e9a1d6f8794f4872a"],
  [
    "4a65616e2d426170746973746520536179",
    "8a7d81b77bcc6c072f2b807da066efba6b5fab9edf71a7faceb2c8454b0cfef608",
  ],
  [
    "457567656e2042f6686d20766f6e2042617765726b",
    "1e2ee010f72894824a25a867664ff298f2548a145dc4e9d27b1cad83f32fa7c54d69dc3279",
  ],
];

it("gives the published bytes", () => {
  const [first, answer, ...transport] = MESSAGES as [
    readonly [string, string],
    readonly [string, string],
    ...(readonly [string, string])[],
  ];
  const client = new Handshake(PSK, CLIENT, PROLOGUE);
  expect(hex(client.first(bytes(first[0])))).toBe(first[1]);
  const answered = new Handshake(PSK, SERVER, PROLOGUE).answer(bytes(first[1]), bytes(answer[0]));
  expect(hex(answered.payload)).toBe(first[0]);
  expect(hex(answered.message)).toBe(answer[1]);
  const keys = client.finish(bytes(answer[1]));
  transport.forEach(([plain, sealed], i) => {
    const [from, to] = i % 2 === 0 ? [keys, answered.keys] : [answered.keys, keys];
    const counter = Math.floor(i / 2);
    expect(hex(seal(from.send, counter, bytes(plain)))).toBe(sealed);
    expect(hex(unseal(to.receive, counter, bytes(sealed))!)).toBe(plain);
  });
});

it("nothing changed, cut or of another prologue or secret passes", () => {
  const first = bytes(MESSAGES[0]![1]);
  const other = (psk: Uint8Array, prologue: Uint8Array, message: Uint8Array) => (): unknown =>
    new Handshake(psk, SERVER, prologue).answer(message);
  expect(other(PSK, PROLOGUE.slice(1), first)).toThrow("another secret");
  expect(other(SERVER, PROLOGUE, first)).toThrow("another secret");
  expect(other(PSK, PROLOGUE, first.subarray(0, 40))).toThrow("cut off");
  for (let i = 0; i < first.length; i++) {
    const changed = first.slice();
    changed[i]! ^= 1;
    // the highest bit of a key does not count (RFC 7748), but is in the hash
    expect(other(PSK, PROLOGUE, changed)).toThrow();
  }
});
