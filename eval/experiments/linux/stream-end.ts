/**
 * One end of streams of `ccpark/transport`, in a process of its own inside a link's namespace: `beside-tcp.ts` starts it. The receiving
 * end says its port, and how many bytes have come whenever it is asked; the sending end sends until it is ended.
 */
import { connect, listen } from "../../../transport/index.ts";

const CHUNK_BYTES = 1 << 16;
const [host, port, algorithm] = process.argv.slice(2) as [string, string?, string?];

if (port === undefined) {
  let bytes = 0;
  const listener = await listen({ host }, (connection) => {
    connection.on("error", () => {});
    connection.on("data", (more: Uint8Array) => {
      bytes += more.length;
    });
  });
  process.on("message", () => process.send!(bytes));
  process.send!(listener.port);
} else {
  const connection = await connect({ host, port: Number(port), algorithm: algorithm! });
  const chunk = new Uint8Array(CHUNK_BYTES);
  const more = (): void => {
    while (connection.write(chunk));
  };
  connection.on("drain", more);
  more();
}
// whoever started it has gone: nobody is left to answer
process.on("disconnect", () => process.exit());
