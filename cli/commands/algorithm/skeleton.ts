/** What `ccpark algorithm new` writes: an algorithm that works, with words on every part, and its test. */

/** A module with an AlgorithmSpec as default export. */
export function algorithmSkeleton(name: string): string {
  return `/**
 * ${name}: additive increase and multiplicative decrease, with a target for the queue. Change it into your idea.
 *
 *   ccpark bench --algorithms ./${name}.mjs,cubic        beside Cubic on a simulated link
 *   ccpark bench --algorithms ./${name}.mjs:targetMs=40  with another value of a parameter
 *   ccpark bench --on udp --algorithms ./${name}.mjs     over real packets
 *   ccpark agent --algorithm ./${name}.mjs               on datapaths of other programs
 */

/**
 * The datapath runs this program on every ACK; docs/ccp.md has the language. \`Report\` holds what \`onReport\` below gets, volatile
 * fields begin at 0 after each report. An event is \`(when CONDITION ...)\`; after \`(fallthrough)\` the next one is examined too.
 * Here: everything is summed up, and reported once per round trip, or at once after a timeout.
 */
const PROGRAM = \`
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
)\`;

/** @type {import("ccpark").AlgorithmSpec} */
export default {
  // what tables and results call it
  name: "${name}",
  summary: "adds a packet per round trip while its queue is below a target, and takes a tenth away above it",
  source: "where the idea is from",
  // what it decides by: loss, timeout, rtt, delivery-rate, ecn, packets, nothing
  reads: ["rtt", "loss", "timeout"],
  // each may be given as in ./${name}.mjs:targetMs=40; out of range is refused in a sentence
  params: [
    { name: "targetMs", unit: "ms", low: 1, high: 1000, default: 10, why: "queueing delay that it aims at" },
  ],
  ccp: ({ targetMs }) => ({
    name: "${name}",
    programs: { perRtt: PROGRAM },
    // one call per flow: its state lives in here
    newFlow(control, { mssBytes, initCwndBytes }) {
      let cwndBytes = initCwndBytes;
      let isStarting = true;
      control.setProgram("perRtt", { Cwnd: cwndBytes });
      return {
        onReport(report) {
          // times are microseconds
          const queueMs = (report.get("rtt") - report.get("minRtt")) / 1000;
          const lost = report.get("lost") > 0;
          if (lost || queueMs > targetMs) isStarting = false;
          if (report.get("timeout") === 1) cwndBytes = 2 * mssBytes;
          else if (lost) cwndBytes *= 0.7;
          else if (queueMs > targetMs) cwndBytes *= 0.9;
          else if (report.get("acked") > 0) cwndBytes += isStarting ? report.get("acked") : mssBytes;
          cwndBytes = Math.max(cwndBytes, 2 * mssBytes);
          // whole bytes; \`Rate\` in bytes per second would pace the packets
          control.updateFields({ Cwnd: Math.round(cwndBytes) });
        },
      };
    },
  }),
};
`;
}

export function testSkeleton(name: string): string {
  return `/** node --test ${name}.test.mjs */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getScenario, runAlgorithm } from "ccpark";
import spec from "./${name}.mjs";

const SCENARIO = { ...getScenario("park-paper"), durationSec: 10 };
const DEFAULTS = Object.fromEntries(spec.params.map((param) => [param.name, param.default]));

/** A fresh algorithm on a link of virtual time: the same seed gives the same result. */
function run(params = {}, seed = 1) {
  const algorithm = spec.ccp({ ...DEFAULTS, ...params });
  return runAlgorithm({ scenario: SCENARIO, seed, rewardName: "score", algorithm }).metrics;
}

test("it uses most of the link", () => {
  const { utilisation, meanQueueDelayMs } = run();
  assert.ok(utilisation > 0.7, \`utilisation \${utilisation}\`);
  assert.ok(meanQueueDelayMs < 100, \`mean queueing delay \${meanQueueDelayMs} ms\`);
});

test("a higher target gives a longer queue", () => {
  assert.ok(run({ targetMs: 40 }).meanQueueDelayMs > run({ targetMs: 5 }).meanQueueDelayMs);
});

test("the same seed gives the same run", () => {
  assert.deepEqual(run(), run());
});

for (const { name, low, high } of spec.params) {
  test(\`it delivers with \${name} at both ends of its range\`, () => {
    for (const value of [low, high]) assert.ok(run({ [name]: value }).goodputMbps > 0, \`\${name}=\${value}\`);
  });
}
`;
}
