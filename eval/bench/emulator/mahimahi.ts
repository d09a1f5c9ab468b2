/** The same traces through mm-link: what its own log says of its opportunities. */
import { createSocket } from "node:dgram";
import { CcparkError } from "../../../core/errors.ts";
import { runShells } from "../../../testbeds/mahimahi/run-shells.ts";
import type { PartOptions, Row } from "./links.ts";
import { traceNames, traceScenario } from "./traces.ts";

/** Inside the shells, whose gateway is this machine. */
const SOURCE = `
const socket = require("node:dgram").createSocket("udp4");
const payload = Buffer.alloc(1472);
socket.connect(Number(process.argv[2]), process.env.MAHIMAHI_BASE, () => {
  const timer = setInterval(() => { for (let i = 0; i < 9; i++) socket.send(payload, () => {}); }, 2);
  setTimeout(() => { clearInterval(timer); socket.close(); }, 1000 * Number(process.argv[1]));
});`;

export async function* mahimahi({ sec }: PartOptions): AsyncGenerator<Row> {
  for (const trace of traceNames()) {
    const sink = createSocket("udp4");
    await new Promise<void>((resolve) => sink.bind(0, "0.0.0.0", resolve));
    try {
      const command = [process.execPath, "-e", SOURCE, String(sec), String(sink.address().port)];
      const { uplink } = await runShells(traceScenario(trace), 1, command, () => {});
      yield {
        trace,
        opportunityBytes: uplink.capacityBytes,
        servedBytes: uplink.departedBytes,
        share: uplink.departedBytes / uplink.capacityBytes,
      };
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      yield { trace, skipped: error.message };
    } finally {
      sink.close();
    }
  }
}
