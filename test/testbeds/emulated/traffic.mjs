// Programs at the ends of a link, in processes of their own: `sink PORT` counts what TCP brings and prints its course, one
// line `MS BYTES` every 50 ms; `bulk HOST PORT SEC` sends as fast as TCP lets it.
import { connect, createServer } from "node:net";

const [what, ...rest] = process.argv.slice(2);
const now = () => Number(process.hrtime.bigint()) / 1e6;

if (what === "sink") {
  let bytes = 0;
  const server = createServer((socket) => {
    const startMs = now();
    const timer = setInterval(() => console.log(`${(now() - startMs).toFixed(1)} ${bytes}`), 50);
    socket.on("data", (chunk) => {
      bytes += chunk.length;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(timer);
      server.close();
    });
  });
  server.listen(Number(rest[0]), "0.0.0.0", () => console.log("listening"));
} else {
  const [host, port, sec] = rest;
  const chunk = Buffer.alloc(1 << 18);
  const socket = connect(Number(port), host);
  const fill = () => {
    while (socket.write(chunk));
  };
  socket.on("connect", () => {
    setTimeout(() => socket.destroy(), 1000 * Number(sec));
    fill();
  });
  socket.on("drain", fill);
  socket.on("error", () => {});
}
