/**
 * An observation of your own: two numbers per step, four steps.
 *
 *   ccpark train --observation ./examples/signals/my-observation.js --out runs/mine
 *
 * `of` sees the step's interval, the window and the highest delivery rate of the last 10 s, and says one finite number
 * within its bounds.
 *
 * @type {import("ccpark/envs").ObservationParts}
 */
export default {
  name: "mine",
  definition: "queueing delay and losses of the last four steps",
  source: "an example",
  history: 4,
  features: [
    {
      name: "queueDelay",
      unit: "1",
      low: 0,
      high: 10,
      definition: "(mean RTT - smallest RTT) / smallest RTT, at most 10; 0 before the first sample",
      of: ({ interval: { meanRttUs, minRttUs } }) =>
        minRttUs === 0 || meanRttUs === 0 ? 0 : Math.min(Math.max(meanRttUs / minRttUs - 1, 0), 10),
    },
    {
      name: "lossRate",
      unit: "1",
      low: 0,
      high: 1,
      definition: "lost / (lost + delivered) in the step",
      of: ({ interval: { lostPackets, ackedPackets, misorderedPackets } }) => {
        const packets = lostPackets + ackedPackets + misorderedPackets;
        return packets === 0 ? 0 : lostPackets / packets;
      },
    },
  ],
};
