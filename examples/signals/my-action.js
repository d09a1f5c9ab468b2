/**
 * An action of your own: one number that adds packets to the window, or takes them away.
 *
 *   ccpark train --action ./examples/signals/my-action.js --out runs/mine
 *
 * `apply` changes the window (bytes) and, if it likes, the pacing rate (B/s; 0: ACK-clocked). With `choices` instead of
 * `dimensions` an action is the number of one of them.
 *
 * @type {import("ccpark/envs").ActionParts}
 */
export default {
  name: "mine",
  definition: "cwnd += a packets; it stays within 2 to 4800 packets",
  source: "an example",
  dimensions: [
    { name: "packets", unit: "packets", low: -10, high: 10, definition: "a: how many packets more or less" },
  ],
  apply([packets], setting, mssBytes) {
    setting.cwndBytes = Math.min(setting.cwndBytes + packets * mssBytes, 4800 * mssBytes);
  },
};
