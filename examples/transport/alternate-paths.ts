/**
 * Requests over two relays of which one is gone: `npx tsx examples/transport/alternate-paths.ts [--order route,retry]`. With `retry` above
 * `route` the next attempt takes the other relay; below it the same again. The order of two chunnels is all that differs.
 */
import {
  type ChooseNext,
  type ChunnelSpec,
  forward,
  frame,
  type Message,
  retry,
  route,
  sack,
  stack,
  udp,
} from "../../transport/index.ts";
import { type Host, openSocket } from "./hosts.ts";
import { oneOf, typed, whole } from "./typed.ts";

const { values } = typed({
  options: {
    order: { type: "string", default: "retry,route" },
    requests: { type: "string", default: "5" },
  },
});
const isAbove = oneOf("--order", values.order, ["retry,route", "route,retry"]) === "retry,route";
const requests = whole("--requests", values.requests, 1_000);

const [client, gone, relay, server] = await Promise.all([
  openSocket(),
  openSocket(),
  openSocket(),
  openSocket(),
]);

/** Of the ways to a destination, the best first, one that has not failed this message, and that brings more than it loses. */
function stackOf(ways: ReadonlyMap<string, readonly string[]>): readonly ChunnelSpec[] {
  const choose: ChooseNext = (to, avoid, facts) => {
    const hops = ways.get(to) ?? [to];
    const isGood = (hop: string): boolean => !avoid.has(hop) && facts(hop).lost <= facts(hop).acked;
    return hops.find(isGood) ?? hops.find((hop) => !avoid.has(hop)) ?? hops[0];
  };
  return isAbove
    ? stack(forward(), retry({ attempts: 4 }), route({ choose }), sack(), frame(), udp())
    : stack(forward(), route({ choose }), retry({ attempts: 4 }), sack(), frame(), udp());
}

const toServer = new Map([[server.address, [gone.address, relay.address]]]);
const toClient = new Map([[client.address, [relay.address]]]);
const hosts: Host[] = [];
const text = ({ data }: Message): string => new TextDecoder().decode(data as Uint8Array);

hosts.push(relay.open({ side: "client", specs: stackOf(new Map()), app: { receive: () => {} } }));
const answering: Host = server.open({
  side: "client",
  specs: stackOf(toClient),
  app: {
    receive: (messages) => {
      for (const message of messages) {
        const data = new TextEncoder().encode(`${text(message)}, answered`);
        answering.stack.send([{ data, ...(message.from !== undefined && { to: message.from }) }]);
      }
    },
  },
});
hosts.push(answering);
let heard: (answer: string | undefined) => void = () => {};
const asking: Host = client.open({
  side: "client",
  specs: stackOf(toServer),
  app: {
    receive: (messages) => {
      for (const message of messages) heard(text(message));
    },
    // all attempts have failed
    feedback: ({ lost }) => {
      if (lost.length > 0) heard(undefined);
    },
  },
});
hosts.push(asking);

let answered = 0;
for (let i = 0; i < requests; i++) {
  const startMs = performance.now();
  const answer = await new Promise<string | undefined>((resolve) => {
    heard = resolve;
    setTimeout(() => resolve(undefined), 15_000).unref();
    asking.stack.send([{ data: new TextEncoder().encode(`request ${i}`), to: server.address }]);
  });
  const tookMs = (performance.now() - startMs).toFixed(0);
  if (answer !== undefined) answered++;
  console.log(
    answer === undefined ? `request ${i}: no answer after ${tookMs} ms` : `${answer} after ${tookMs} ms`,
  );
}
console.log(`retry ${isAbove ? "above" : "below"} route: ${answered} of ${requests} answered`);
for (const host of hosts) host.close();
// requests that nobody answered go on being asked
process.exit();
