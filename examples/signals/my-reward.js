/**
 * A reward of your own: a delivered Mbit/s is worth one, a millisecond of queue costs a tenth.
 *
 *   ccpark train --reward ./examples/signals/my-reward.js --out runs/mine
 *   ccpark bench --reward ./examples/signals/my-reward.js --algorithms cubic,agent:runs/mine
 *
 * The components add up to the reward, in their order.
 */
const throughput = ({ ackedBytes, stepUs }) => (stepUs > 0 ? (8 * ackedBytes) / stepUs : 0);
// what does not come back has been on its way at least for the silence
const delay = ({ meanRttUs, minRttUs, silentUs }) =>
  -0.1 * (Math.max(meanRttUs - minRttUs, silentUs - minRttUs, 0) / 1000);

/** @type {import("ccpark/envs").RewardSpec} */
export default {
  name: "mine",
  low: -Infinity,
  high: Infinity,
  definition: "acknowledged Mbit/s - 0.1 x queueing delay in ms",
  source: "an example",
  components: [
    { name: "throughput", definition: "acknowledged Mbit/s", of: throughput },
    { name: "delay", definition: "-0.1 x (mean RTT, or the silence, - smallest RTT) in ms", of: delay },
  ],
  of: (interval) => throughput(interval) + delay(interval),
};
