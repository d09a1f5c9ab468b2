/**
 * The datapath's side of the socket benchmarks, a process of its own: `flood` sends reports as fast as they are taken,
 * `ping` waits for the answer to each. Prints one JSON object.
 */
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";
import { encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { encodeReady } from "../../ccp-bridge/wire/ready.ts";

const FLOOD_MS = 1300;
const WARM_UP_MS = 300;
const PINGS = 4000;
const WARM_UP_PINGS = 500;
/** Reports between two looks at the answers. */
const BURST = 32;
const ANSWER_MS = 1000;

const [task, agentPath] = process.argv.slice(2) as [string, string];
let answers = 0;
const socket = await openUnixDatagram({
  path: `${agentPath}.datapath`,
  onMessage: () => {
    answers += 1;
  },
});

function send(message: Uint8Array): void {
  for (let outcome = socket.send(message, agentPath); outcome !== "sent"; ) {
    if (outcome === "gone") throw new Error("the agent has gone");
    // the queue holds ten or so: look again until there is room
    socket.receiveNow(0);
    outcome = socket.send(message, agentPath);
  }
}

/** Reads what comes until nothing has come for a while. */
function settle(): void {
  while (socket.receiveNow(50) > 0);
}

send(encodeReady({ datapathId: 1 }));
settle();
const addresses = { srcIp: 1, srcPort: 1, dstIp: 2, dstPort: 2 };
const flow = { flowId: 1, initCwndBytes: 14_480, mssBytes: 1448 };
send(encodeCreate({ ...flow, ...addresses, algorithmName: "" }));
settle();
const report = encodeMeasure({ flowId: 1, programUid: 1, fields: [289_600n, 20_000n] });

function flood(): object {
  const began = performance.now();
  let counted = 0;
  let sent = 0;
  let countedFrom = began + WARM_UP_MS;
  for (;;) {
    for (let i = 0; i < BURST; i++) send(report);
    sent += BURST;
    socket.receiveNow(0);
    const now = performance.now();
    if (counted === 0 && now >= countedFrom) {
      counted = sent;
      countedFrom = now;
    }
    if (now - began >= FLOOD_MS) return { reportsPerSec: (sent - counted) / ((now - countedFrom) / 1000) };
  }
}

function ping(): object {
  const times: number[] = [];
  for (let i = 0; i < WARM_UP_PINGS + PINGS; i++) {
    const before = answers;
    const began = performance.now();
    send(report);
    while (answers === before) {
      if (socket.receiveNow(ANSWER_MS) === 0) throw new Error("no answer");
    }
    if (i >= WARM_UP_PINGS) times.push((performance.now() - began) * 1000);
  }
  times.sort((a, b) => a - b);
  return { p50Us: times[PINGS / 2], p95Us: times[Math.floor(PINGS * 0.95)] };
}

const result = task === "flood" ? flood() : ping();
socket.close();
console.log(JSON.stringify(result));
