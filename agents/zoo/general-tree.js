/**
 * A policy as a datapath program of 253 instructions and 18 leaves, which runs without an agent.
 * Made by ccpark distill (0.2.0) of zoo:general, sha256 516bacc967bd636d72714e8e391685115f8968b7afee5ec8382f49ddb5846f6c, seed 2,
 * 4 rounds of 38 links, 10068 decisions, on constant, constant, constant, fast, loss, policer, policer, acks, acks, steps, steps, cellular, cellular, cellular, cellular, poisson, poisson, others, others.
 * Score on 24 validation links 13.198, the policy's 13.216.
 */
const PROGRAM = `
(def
  (Report (delivered 0) (lost 0) (rttSum 0) (rtt 0) (minRtt +infinity) (full 0) (startup 1) (lastRtt 0) (rttChange 0) (quiet 0) (meanRtt 0) (through 0) (change 0) (highest 0) (loss 0) (packetUs 0))
  (window 14480) (least 2896) (most 6950400) (leaf 0) (queue 0) (rate 0) (bunch 0) (bunching 0) (lastThrough 0) (rateChange 0) (varying 0) (maxNow 0) (reports 0) (maxBefore 0) (path 0) (fullRounds 0)
)
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.rttSum (+ Report.rttSum (* Flow.rtt_sample_us (+ Ack.packets_acked Ack.packets_misordered))))
  (:= Report.rtt (if (< Flow.rtt_sample_us +infinity) Flow.rtt_sample_us))
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (&& (> Micros Report.rtt) (> Report.rtt 0))
  (:= Report.meanRtt (max Report.minRtt (/ Report.rttSum (max Report.delivered 1))))
  (:= queue (- Report.meanRtt Report.minRtt))
  (:= Report.through (/ (* (* Report.delivered least) 500000) Micros))
  (:= rate (min Flow.rate_incoming Flow.rate_outgoing))
  (:= bunch 0)
  (:= bunch (if (> Report.through (* rate 2)) 1024))
  (:= bunching (/ (+ (* bunching 7) bunch) 8))
  (:= Report.change (/ (* (- (max Report.through lastThrough) (min Report.through lastThrough)) 16384) (max Report.through (max lastThrough 1))))
  (:= lastThrough Report.through)
  (:= rateChange (/ (+ (* rateChange 15) Report.change) 16))
  (:= rateChange (if (> Report.startup 0) 0))
  (:= varying 557)
  (:= varying (if (> bunching 51) 2120))
  (:= rate (if (|| (> bunch 0) (> rateChange varying)) Report.through))
  (:= maxNow (max maxNow rate))
  (:= Report.highest (max maxNow maxBefore))
  (:= reports (+ reports 1))
  (:= maxBefore (if (> reports 4) maxNow))
  (:= maxNow (if (> reports 4) 0))
  (:= reports (if (> reports 4) 0))
  (:= path (ewma 5 rate))
  (:= path (if (> Report.startup 0) Report.highest))
  (:= queue (if (> bunching 614) (- queue (min queue (/ Micros 2)))))
  (:= Report.loss (/ (* Report.lost 16384) (max (+ Report.lost Report.delivered) 1)))
  (:= fullRounds (+ fullRounds 1))
  (:= fullRounds (if (> (* Report.highest 4) (* Report.full 5)) 0))
  (:= Report.full (if (== fullRounds 0) Report.highest))
  (:= Report.startup (if (> fullRounds 2) 0))
  (:= Report.startup (if (&& (> fullRounds 0) (|| (> queue (+ 2000 (/ Report.minRtt 4))) (> Report.loss 819))) 0))
  (:= Report.lastRtt (if (== Report.lastRtt 0) Report.meanRtt))
  (:= Report.rttChange (/ (+ (* Report.rttChange 7) (- (max Report.meanRtt Report.lastRtt) (min Report.meanRtt Report.lastRtt))) 8))
  (:= Report.lastRtt Report.meanRtt)
  (:= Report.packetUs (/ (* least 500000) (max Report.highest 1)))
  (:= level (max (/ Report.packetUs 2) (min Report.rttChange (+ (/ Report.minRtt 2) (* Report.packetUs 2)))))
  (:= level (max level (max 600 (/ Report.minRtt 100))))
  (:= level (/ (* queue 1024) level))
  (:= Report.quiet (+ Report.quiet 1))
  (:= Report.quiet (if (> level 1024) 0))
  (:= queueRatio (/ (* (- Report.meanRtt Report.minRtt) 1024) Report.minRtt))
  (:= packetRatio (/ (* Report.packetUs 1024) Report.minRtt))
  (:= leaf 7497485)
  (:= leaf (if (< rateChange 366) 6882688))
  (:= leaf (if (< queueRatio 480) 7562493))
  (:= leaf (if (< level 1575) 8234383))
  (:= leaf (if (< level 926) 8684895))
  (:= leaf (if (> rateChange 1596) 16795028))
  (:= leaf (if (&& (> rateChange 1596) (< Report.quiet 3)) 16803020))
  (:= leaf (if (> rateChange 3318) 16811467))
  (:= leaf (if (&& (> rateChange 1596) (> packetRatio 122)) 16836980))
  (:= leaf (if (> Report.startup 0) 33557931))
  (:= leaf (if (&& (> Report.startup 0) (< queueRatio 156)) 33557176))
  (:= leaf (if (> queueRatio 1095) 10628047))
  (:= leaf (if (&& (> queueRatio 1095) (< packetRatio 46)) 6900136))
  (:= leaf (if (&& (> queueRatio 1095) (< level 4976)) 12339523))
  (:= leaf (if (&& (> queueRatio 1095) (< Report.minRtt 15723)) 16393906))
  (:= leaf (if (&& (> queueRatio 1095) (> Report.minRtt 38091)) 7513639))
  (:= leaf (if (&& (> queueRatio 1095) (> packetRatio 248)) 17183695))
  (:= leaf (if (&& (&& (> queueRatio 1095) (> packetRatio 248)) (< packetRatio 591)) 15248375))
  (:= pace (/ leaf 8192))
  (:= window (- leaf (* pace 8192)))
  (:= window (max least (min most (+ (/ (* (/ (* path Report.minRtt) 1000000) window) 1024) least))))
  (:= Cwnd window)
  (:= Rate (+ (/ (* path pace) 1024) (/ (* least 500000) Report.minRtt)))
  (:= Report.delivered 0)
  (:= Report.lost 0)
  (:= Report.rttSum 0)
  (:= Micros 0)
)
`;

/** @type {import("ccpark/algorithms").AlgorithmSpec} */
export default {
  name: "general-tree",
  summary: "a decision tree of 18 leaves, distilled from a policy; the datapath walks it by itself",
  source: "ccpark distill",
  reads: ["rtt", "delivery-rate", "loss"],
  params: [],
  ccp: () => ({
    name: "general-tree",
    programs: { tree: PROGRAM },
    newFlow(control, { mssBytes, initCwndBytes }) {
      control.setProgram("tree", {
        Cwnd: initCwndBytes,
        window: initCwndBytes,
        least: 2 * mssBytes,
        most: 4800 * mssBytes,
      });
      return { onReport() {} }; // the program never reports: the datapath decides by itself
    },
  }),
};
