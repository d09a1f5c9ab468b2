/**
 * A key-value store on six shards, each with a socket of its own: `npx tsx examples/transport/key-value.ts [--at server]`. The client picks the
 * shard, or a front at the server does; the stacks differ in that option alone.
 */
import {
  type ChunnelSpec,
  cc,
  frame,
  reliable,
  route,
  sack,
  serialise,
  shard,
  stack,
  udp,
} from "../../transport/index.ts";
import { type Host, openSocket } from "./hosts.ts";
import { oneOf, typed, whole } from "./typed.ts";

interface Request {
  readonly id: number;
  readonly key: string;
  /** absent: it reads */
  readonly value?: string;
}

interface Answer {
  readonly id: number;
  readonly key: string;
  readonly value: string;
  readonly shard: string;
}

const { values } = typed({
  options: {
    at: { type: "string", default: "client" },
    shards: { type: "string", default: "6" },
    keys: { type: "string", default: "500" },
  },
});
const at = oneOf("--at", values.at, ["client", "server"]);
const [shardCount, keyCount] = [whole("--shards", values.shards, 100), whole("--keys", values.keys, 100_000)];

const shardSockets = await Promise.all(Array.from({ length: shardCount }, openSocket));
const frontSocket = await openSocket();
const clientSocket = await openSocket();
const specs: readonly ChunnelSpec[] = stack(
  shard({ shards: shardSockets.map(({ address }) => address), at }),
  serialise({ codec: "binary", key: "key" }),
  route(),
  reliable(),
  cc({ algorithm: "copa" }),
  sack(),
  frame(),
  udp(),
);

function openShard(socket: (typeof shardSockets)[number]): Host {
  const kept = new Map<string, string>();
  const host: Host = socket.open({
    side: "server",
    specs,
    app: {
      receive: (messages) => {
        for (const { data, from } of messages) {
          const { id, key, value } = data as Request;
          if (value !== undefined) kept.set(key, value);
          const answer: Answer = { id, key, value: kept.get(key) ?? "", shard: host.address };
          // to the client itself: the front has nothing to do with answers
          host.stack.send([{ data: answer, key, ...(from !== undefined && { to: from }) }]);
        }
      },
    },
  });
  return host;
}

const hosts = shardSockets.map(openShard);
hosts.push(frontSocket.open({ side: "server", specs, app: { receive: () => {} } }));

const waiting = new Map<number, (answer: Answer) => void>();
const client = clientSocket.open({
  side: "client",
  specs,
  app: {
    receive: (messages) => {
      for (const { data } of messages) {
        const answer = data as Answer;
        waiting.get(answer.id)?.(answer);
        waiting.delete(answer.id);
      }
    },
  },
});
hosts.push(client);

let asked = 0;
function ask(key: string, value?: string): Promise<Answer> {
  const id = asked++;
  const request: Request = { id, key, ...(value !== undefined && { value }) };
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    const to = at === "server" ? { to: frontSocket.address } : {};
    client.stack.send([{ data: request, key, ...to }]);
  });
}

const keys = Array.from({ length: keyCount }, (_, i) => `user${i}`);
const startMs = performance.now();
const byShard = new Map<string, number>();
for (const key of keys) await ask(key, `value of ${key}`);
for (const key of keys) {
  const { value, shard: by } = await ask(key);
  if (value !== `value of ${key}`) throw new Error(`${key}: got ${value}`);
  byShard.set(by, (byShard.get(by) ?? 0) + 1);
}
const eachUs = ((performance.now() - startMs) * 1_000) / (2 * keys.length);
console.log(`sharding at the ${at}: ${keys.length} keys written and read, ${eachUs.toFixed(0)} us a request`);
console.log(`keys by shard: ${[...byShard.values()].join(", ")}`);
for (const host of hosts) host.close();
