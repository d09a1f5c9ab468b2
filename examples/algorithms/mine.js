/**
 * An algorithm of your own: additive increase, multiplicative decrease once per round trip, with a target for the queue.
 *
 *   ccpark bench --algorithms cubic,./examples/algorithms/mine.js:targetMs=5
 *
 * The program runs in the datapath on every ACK and folds it into a report; `onReport` decides. The same file drives the
 * simulator, real packets (`--on udp`) and datapaths of other programs (`ccpark agent --algorithm ./examples/algorithms/mine.js`).
 */
const PROGRAM = `
(def (Report (volatile acked 0) (volatile lost 0) (volatile timeout 0) (rtt 0) (minRtt +infinity)))
(when true
  (:= Report.acked (+ Report.acked (+ Ack.bytes_acked Ack.bytes_misordered)))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.timeout (if Flow.was_timeout 1))
  (:= Report.rtt Flow.rtt_sample_us)
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (|| Flow.was_timeout (> Micros Flow.rtt_sample_us))
  (report)
  (:= Micros 0)
)`;

/** @type {import("ccpark/algorithms").AlgorithmSpec} */
export default {
  name: "mine",
  summary: "adds a packet per round trip while its queue is below a target, and takes a tenth away above it",
  source: "an example",
  reads: ["rtt", "loss", "timeout"],
  params: [
    {
      name: "targetMs",
      unit: "ms",
      low: 0.1,
      high: 1000,
      default: 10,
      why: "queueing delay that it aims at",
    },
  ],
  ccp: ({ targetMs }) => ({
    name: "mine",
    programs: { perRtt: PROGRAM },
    newFlow(control, { mssBytes, initCwndBytes }) {
      let cwndBytes = initCwndBytes;
      let isStarting = true;
      control.setProgram("perRtt", { Cwnd: cwndBytes });
      return {
        onReport(report) {
          const queueMs = (report.get("rtt") - report.get("minRtt")) / 1000;
          if (report.get("lost") > 0 || queueMs > targetMs) isStarting = false;
          if (report.get("timeout") === 1) cwndBytes = 2 * mssBytes;
          else if (report.get("lost") > 0) cwndBytes *= 0.7;
          else if (queueMs > targetMs) cwndBytes *= 0.9;
          else if (report.get("acked") > 0) cwndBytes += isStarting ? report.get("acked") : mssBytes;
          cwndBytes = Math.max(cwndBytes, 2 * mssBytes);
          control.updateFields({ Cwnd: Math.round(cwndBytes) });
        },
      };
    },
  }),
};
