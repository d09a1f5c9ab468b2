/**
 * A CCP flow's registers, and how its program is run on an ACK: what `ccp-bridge/datapath/ccp-flow.ts` does where the program does
 * not say anything but window and rate. Places and meanings as in `BLOCK` of
 * `ccp-bridge/datapath/register-arena.ts`, which `interface.mjs` holds them against.
 */
import { SenderWords } from "./sender-words";

/** Places of the words. */
export const enum BlockWord {
  bytesAcked = 0,
  bytesMisordered = 1,
  ecnBytes = 2,
  ecnPackets = 3,
  lostPackets = 4,
  packetsAcked = 6,
  packetsMisordered = 7,
  bytesInFlight = 8,
  bytesPending = 9,
  packetsInFlight = 10,
  rateIncoming = 11,
  rateOutgoing = 12,
  rttSampleUs = 13,
  wasTimeout = 14,
  hostCwnd = 15,
  hostRate = 16,
  runnable = 264,
  lastUs = 265,
  minCwnd = 266,
  minRate = 267,
  stagedCwnd = 268,
  stagedRate = 269,
}

/** The upper half of `runnable`: what is staged. */
const STAGED: usize = <usize>BlockWord.runnable * 8 + 4;
const CWND_IS_STAGED: u32 = 1;
const RATE_IS_STAGED: u32 = 2;

/** The datapath wants to see the ACK first. */
export const ASK: i32 = i32.MIN_VALUE;

@unmanaged
export class CcpBlock {
  /**
   * Runs the program on an ACK of the sender's; window and rate become the sender's if that is all.
   * @param isPlain the ACK tells of no losses, marks or disorder, nor did the one before, which was run here
   * @returns what the program said (0: no more), or ASK; then nothing has happened
   */
  @inline
  runProgram(
    sender: SenderWords,
    isPlain: bool,
    nowUs: f64,
    ackedBytes: f64,
    ackedPackets: f64,
    inflightBytes: f64,
    inflightPackets: f64,
    pendingBytes: f64,
    rttUs: f64,
  ): i32 {
    const block = changetype<usize>(this);
    const program = load<u32>(block, <usize>BlockWord.runnable * 8);
    if (program === 0) return ASK;
    const staged = load<u32>(block, STAGED);
    if (staged !== 0 && !this.takeStaged(staged)) return ASK;
    if (!isPlain) this.writeTroubles(sender);
    store<f64>(block, ackedBytes, <usize>BlockWord.bytesAcked * 8);
    store<f64>(block, ackedPackets, <usize>BlockWord.packetsAcked * 8);
    store<f64>(block, inflightBytes, <usize>BlockWord.bytesInFlight * 8);
    store<f64>(block, pendingBytes, <usize>BlockWord.bytesPending * 8);
    store<f64>(block, inflightPackets, <usize>BlockWord.packetsInFlight * 8);
    store<f64>(block, this.rounded(sender.deliveryRateBytesPerSec), <usize>BlockWord.rateIncoming * 8);
    store<f64>(block, this.rounded(sender.sendRateBytesPerSec), <usize>BlockWord.rateOutgoing * 8);
    let sampleUs: f64 = 0;
    if (rttUs > 0) {
      sampleUs = this.rounded(rttUs);
      if (sampleUs < 1) sampleUs = 1;
    }
    store<f64>(block, sampleUs, <usize>BlockWord.rttSampleUs * 8);
    store<f64>(block, nowUs, <usize>BlockWord.lastUs * 8);
    const said = call_indirect<i32>(program, block, nowUs, 0);
    if (said !== 0) return said;
    let cwndBytes = load<f64>(block, <usize>BlockWord.hostCwnd * 8);
    const minCwndBytes = load<f64>(block, <usize>BlockWord.minCwnd * 8);
    if (cwndBytes < minCwndBytes) {
      cwndBytes = minCwndBytes;
      store<f64>(block, cwndBytes, <usize>BlockWord.hostCwnd * 8);
    }
    sender.targetBytes = cwndBytes;
    let rate = load<f64>(block, <usize>BlockWord.hostRate * 8);
    if (rate !== 0) {
      const minRate = load<f64>(block, <usize>BlockWord.minRate * 8);
      if (rate < minRate) {
        rate = minRate;
        store<f64>(block, rate, <usize>BlockWord.hostRate * 8);
      }
      sender.rateBytesPerSec = rate;
    } else sender.rateBytesPerSec = -1;
    return 0;
  }

  /** Most ACKs leave these words at 0. */
  private writeTroubles(sender: SenderWords): void {
    const block = changetype<usize>(this);
    store<f64>(block, sender.misorderedBytes, <usize>BlockWord.bytesMisordered * 8);
    store<f64>(block, sender.ecnBytes, <usize>BlockWord.ecnBytes * 8);
    store<f64>(block, sender.ecnPackets, <usize>BlockWord.ecnPackets * 8);
    store<f64>(block, sender.lostPackets, <usize>BlockWord.lostPackets * 8);
    store<f64>(block, sender.misorderedPackets, <usize>BlockWord.packetsMisordered * 8);
    store<f64>(block, sender.timeout, <usize>BlockWord.wasTimeout * 8);
  }

  /**
   * The host's values become what the agent has said, and the program loads them.
   * @returns false: a register alone is to be set to 0, which is the datapath's business; nothing has happened then
   */
  private takeStaged(staged: u32): bool {
    const block = changetype<usize>(this);
    const hasCwnd = (staged & CWND_IS_STAGED) !== 0;
    const hasRate = (staged & RATE_IS_STAGED) !== 0;
    const cwndBytes = load<f64>(block, <usize>BlockWord.stagedCwnd * 8);
    const rate = load<f64>(block, <usize>BlockWord.stagedRate * 8);
    if (hasCwnd && cwndBytes === 0 && load<f64>(block, <usize>BlockWord.hostCwnd * 8) !== 0) return false;
    if (hasRate && rate === 0 && load<f64>(block, <usize>BlockWord.hostRate * 8) !== 0) return false;
    if (hasCwnd) store<f64>(block, cwndBytes, <usize>BlockWord.hostCwnd * 8);
    if (hasRate) store<f64>(block, rate, <usize>BlockWord.hostRate * 8);
    store<u32>(block, 0, STAGED);
    return true;
  }

  /** Whole numbers, as the host has them. */
  @inline
  private rounded(value: f64): f64 {
    return floor<f64>(value + 0.5);
  }
}
