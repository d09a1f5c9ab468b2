//! A toy network: one sender with selective acknowledgements, one drop-tail queue, a receiver that acknowledges
//! every packet. It owns no clock: the caller says up to which time acknowledgements arrive.
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub const MSS: u32 = 1448;
const PACKET_BYTES: f64 = 1500.0;
const REORDERING: u64 = 3;
const TIMEOUT_US: f64 = 1e6;

/// What one acknowledgement (or a timeout) told the sender.
#[derive(Default)]
pub struct Ack {
    pub bytes_acked: u32,
    pub packets_acked: u32,
    pub misordered: u32,
    pub lost: u32,
    pub timeout: bool,
    pub rtt_us: u64,
    /// bytes/s, over the round trip of this packet
    pub rate: u64,
    pub in_flight: u32,
}

/// A packet on its way; `number` counts transmissions, `segment` the data in it.
struct Flying {
    number: u64,
    segment: u64,
    sent_us: f64,
    acked_us: f64,
    /// packets that had been delivered when it was sent
    delivered: u64,
}

pub struct Network {
    packet_us: f64,
    rtt_us: f64,
    queue_packets: f64,
    /// When the queue will be empty.
    busy_until_us: f64,
    /// Acknowledgements on their way, in order of arrival.
    acks: VecDeque<Flying>,
    /// Segment by transmission number, of all that is neither acknowledged nor known to be lost.
    outstanding: BTreeMap<u64, u64>,
    to_repeat: BTreeSet<u64>,
    received: BTreeSet<u64>,
    next_expected: u64,
    next_segment: u64,
    next_number: u64,
    delivered: u64,
    last_ack_us: f64,
    recovery_until: u64,
    pub loss_events: u64,
    pub lost_packets: u64,
    pub timeouts: u64,
}

impl Network {
    pub fn new(mbit_s: f64, rtt_ms: f64, queue_packets: f64) -> Self {
        Network {
            packet_us: PACKET_BYTES * 8.0 / mbit_s,
            rtt_us: rtt_ms * 1e3,
            queue_packets,
            busy_until_us: 0.0,
            acks: VecDeque::new(),
            outstanding: BTreeMap::new(),
            to_repeat: BTreeSet::new(),
            received: BTreeSet::new(),
            next_expected: 0,
            next_segment: 0,
            next_number: 0,
            delivered: 0,
            last_ack_us: 0.0,
            recovery_until: 0,
            loss_events: 0,
            lost_packets: 0,
            timeouts: 0,
        }
    }

    pub fn delivered_bytes(&self) -> u64 {
        self.next_expected * u64::from(MSS)
    }

    /// Sends what the window allows, lost segments first.
    pub fn send(&mut self, now_us: f64, cwnd_bytes: u32) {
        while self.outstanding.len() < (cwnd_bytes / MSS).max(1) as usize {
            let segment = self.to_repeat.pop_first().unwrap_or_else(|| {
                self.next_segment += 1;
                self.next_segment - 1
            });
            let number = self.next_number;
            self.next_number += 1;
            self.outstanding.insert(number, segment);
            let start_us = self.busy_until_us.max(now_us);
            if (start_us - now_us) / self.packet_us > self.queue_packets {
                continue; // dropped
            }
            self.busy_until_us = start_us + self.packet_us;
            self.acks.push_back(Flying {
                number,
                segment,
                sent_us: now_us,
                acked_us: self.busy_until_us + self.rtt_us,
                delivered: self.delivered,
            });
        }
    }

    /// The next acknowledgement or timeout that is due, and its time.
    pub fn next_ack(&mut self, now_us: f64) -> Option<(f64, Ack)> {
        if self.acks.front().is_some_and(|f| f.acked_us <= now_us) {
            let flying = self.acks.pop_front()?;
            self.last_ack_us = flying.acked_us;
            return Some((flying.acked_us, self.acknowledge(flying)));
        }
        let due_us = self.last_ack_us + TIMEOUT_US;
        if self.acks.is_empty() && !self.outstanding.is_empty() && due_us <= now_us {
            self.last_ack_us = due_us;
            self.timeouts += 1;
            let lost = self.declare_lost(u64::MAX);
            let ack = Ack {
                lost,
                timeout: true,
                ..Ack::default()
            };
            return Some((due_us, ack));
        }
        None
    }

    fn acknowledge(&mut self, flying: Flying) -> Ack {
        let before = self.next_expected;
        self.delivered += 1;
        let rtt_us = flying.acked_us - flying.sent_us;
        let delivered_bytes = (self.delivered - flying.delivered) as f64 * f64::from(MSS);
        let known = self.outstanding.remove(&flying.number).is_some();
        self.to_repeat.remove(&flying.segment);
        if flying.segment >= before {
            self.received.insert(flying.segment);
        }
        while self.received.remove(&self.next_expected) {
            self.next_expected += 1;
        }
        let advanced = (self.next_expected - before) as u32;
        let lost = self.declare_lost(flying.number.saturating_sub(REORDERING - 1));
        Ack {
            bytes_acked: advanced * MSS,
            packets_acked: u32::from(advanced > 0),
            misordered: u32::from(advanced == 0 && known),
            lost,
            timeout: false,
            rtt_us: rtt_us as u64,
            rate: (delivered_bytes * 1e6 / rtt_us) as u64,
            in_flight: self.outstanding.len() as u32,
        }
    }

    /// Everything sent before this transmission and still outstanding is lost.
    fn declare_lost(&mut self, before: u64) -> u32 {
        let still_flying = self.outstanding.split_off(&before);
        let lost = std::mem::replace(&mut self.outstanding, still_flying);
        if lost.keys().any(|&number| number >= self.recovery_until) {
            self.loss_events += 1;
            self.recovery_until = self.next_number;
        }
        self.lost_packets += lost.len() as u64;
        self.to_repeat.extend(lost.values());
        lost.len() as u32
    }
}
