/** An agent in a process of its own: `agent-process.ts SOCKET ALGORITHM`. */
import { BASELINES } from "../../agents/baselines/index.ts";
import { CcpAgent } from "../../ccp-bridge/agent.ts";
import { openUnixDatagram, type UnixDatagramSocket } from "../../ccp-bridge/ipc/unix-datagram.ts";

const [path, name = "reno"] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: agent-process.ts SOCKET [ALGORITHM]");
const nowUs = (): number => Math.round(performance.now() * 1000);
let socket: UnixDatagramSocket | undefined;
const agent = new CcpAgent({
  algorithms: [BASELINES.get(name)!()],
  send: (message, to) => void socket?.send(message, to),
});
try {
  socket = await openUnixDatagram({
    path,
    onMessage: (bytes, from) => {
      if (from !== undefined) agent.receive(bytes, from, nowUs());
    },
  });
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
