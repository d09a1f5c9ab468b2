/**
 * A CCP flow's registers, and how its program is run on an ACK: what `ccp-bridge/ccp-flow.ts` does where the program does
 * not say anything but window and rate. Places as in `BLOCK` of `ccp-bridge/register-arena.ts`, meanings as there.
 */
import { SenderWords } from "./sender-words";

/** Places in bytes: the primitives (f64). */
const BYTES_ACKED: usize = 0;
const BYTES_MISORDERED: usize = 8;
const ECN_BYTES: usize = 16;
const ECN_PACKETS: usize = 24;
const LOST_PACKETS: usize = 32;
const PACKETS_ACKED: usize = 48;
const PACKETS_MISORDERED: usize = 56;
const BYTES_IN_FLIGHT: usize = 64;
const BYTES_PENDING: usize = 72;
const PACKETS_IN_FLIGHT: usize = 80;
const RATE_INCOMING: usize = 88;
const RATE_OUTGOING: usize = 96;
const RTT_SAMPLE_US: usize = 104;
const WAS_TIMEOUT: usize = 112;
const HOST_CWND: usize = 120;
const HOST_RATE: usize = 128;
const RUNNABLE: usize = 264 * 8;
const LAST_US: usize = 265 * 8;
const MIN_CWND: usize = 266 * 8;
const MIN_RATE: usize = 267 * 8;

/** The datapath wants to see the ACK first. */
export const ASK: i32 = i32.MIN_VALUE;

/** Whole numbers, as the host has them. */
@inline
function rounded(value: f64): f64 {
  return floor<f64>(value + 0.5);
}

/**
 * Runs the program on the sender's ACK event; window and rate become the sender's if that is all.
 * @returns what the program said (0: no more), or ASK; then nothing has happened
 */
@inline
export function runProgram(block: usize, sender: SenderWords): i32 {
  const program = load<u32>(block, RUNNABLE);
  if (program === 0) return ASK;
  store<f64>(block, sender.ackedBytes, BYTES_ACKED);
  store<f64>(block, sender.misorderedBytes, BYTES_MISORDERED);
  store<f64>(block, sender.ecnBytes, ECN_BYTES);
  store<f64>(block, sender.ecnPackets, ECN_PACKETS);
  store<f64>(block, sender.lostPackets, LOST_PACKETS);
  store<f64>(block, sender.ackedPackets, PACKETS_ACKED);
  store<f64>(block, sender.misorderedPackets, PACKETS_MISORDERED);
  store<f64>(block, sender.inflightBytes, BYTES_IN_FLIGHT);
  store<f64>(block, sender.pendingBytes, BYTES_PENDING);
  store<f64>(block, sender.inflightPackets, PACKETS_IN_FLIGHT);
  store<f64>(block, rounded(sender.deliveryRateBytesPerSec), RATE_INCOMING);
  store<f64>(block, rounded(sender.sendRateBytesPerSec), RATE_OUTGOING);
  const rttUs = sender.rttUs;
  store<f64>(block, rttUs > 0 ? max<f64>(1, rounded(rttUs)) : 0, RTT_SAMPLE_US);
  store<f64>(block, sender.timeout, WAS_TIMEOUT);
  store<f64>(block, sender.nowUs, LAST_US);
  const said = call_indirect<i32>(program, block, sender.nowUs, 0);
  if (said !== 0) return said;
  let cwndBytes = load<f64>(block, HOST_CWND);
  const minCwndBytes = load<f64>(block, MIN_CWND);
  if (cwndBytes < minCwndBytes) {
    cwndBytes = minCwndBytes;
    store<f64>(block, cwndBytes, HOST_CWND);
  }
  sender.targetBytes = cwndBytes;
  let rate = load<f64>(block, HOST_RATE);
  if (rate !== 0) {
    const minRate = load<f64>(block, MIN_RATE);
    if (rate < minRate) {
      rate = minRate;
      store<f64>(block, rate, HOST_RATE);
    }
    sender.rateBytesPerSec = rate;
  } else sender.rateBytesPerSec = -1;
  return 0;
}
