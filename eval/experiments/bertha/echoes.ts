/** The ends that answer, by how a connection to them begins: they send back what they hear. */
import type { Message } from "../../../transport/chunnel.ts";
import {
  cc,
  frame,
  GroupStack,
  listenIn,
  OpenStack,
  order,
  reliable,
  type Slot,
  sack,
} from "../../../transport/index.ts";
import type { Host, World } from "./worlds.ts";

export const WAYS = ["datagrams", "0-RTT", "1-RTT", "rendezvous"] as const;
export type WayName = (typeof WAYS)[number];

/** What is negotiated: a stream's stack, or datagrams that name their session, as Bertha measures it (a codec over UDP). */
export const STACKS = ["stream", "datagrams"] as const;
export type StackName = (typeof STACKS)[number];

export function slotsIn({ base }: World, stack: StackName): readonly Slot[] {
  return stack === "datagrams"
    ? [frame(), base]
    : [order(), reliable(), cc({ algorithm: "native-reno" }), sack(), frame(), base];
}

/** Who answers in a world. */
export interface EchoEnd {
  /** where it listens; of rendezvous there is none before it has been `met` */
  readonly address: string;
  /** Goes to a place of rendezvous and waits there, as one that listens has. @returns when it is there */
  meet(key: string): Promise<void>;
  /** Leaves that place. */
  part(): Promise<void>;
}

async function datagramEchoes(world: World): Promise<string> {
  const server = await world.host("server", (datagram, from) => stack.arrive(datagram, from));
  const stack: OpenStack = new OpenStack({
    stack: [world.base],
    ...server,
    side: "server",
    app: {
      receive: (messages) =>
        stack.send(messages.map(({ data, from }) => ({ data, ...(from !== undefined && { to: from }) }))),
    },
  });
  return server.port.self;
}

async function negotiatedEchoes(world: World, stack: StackName): Promise<string> {
  let arrive = (_datagram: Uint8Array, _from: string): void => {};
  const server = await world.host("server", (datagram, from) => arrive(datagram, from));
  const makePort = (onDatagram: typeof arrive): Host["port"] => {
    arrive = onDatagram;
    return server.port;
  };
  const isReliable = stack === "stream";
  listenIn(makePort, { slots: slotsIn(world, stack), ...server }, (_peer, live) => ({
    receive: (messages) => {
      live.send(messages.map(({ data }): Message => ({ data })));
      if (!isReliable) live.close();
    },
    // the echo has come
    feedback: ({ acked }) => {
      if (acked.length > 0) live.close();
    },
  }));
  return server.port.self;
}

export async function echoEnd(way: WayName, world: World, stack: StackName): Promise<EchoEnd> {
  const place = await placeOf(world);
  switch (way) {
    case "datagrams":
      return { address: await datagramEchoes(world), ...place };
    case "0-RTT":
    case "1-RTT":
      return { address: await negotiatedEchoes(world, stack), ...place };
    case "rendezvous":
      return { address: "", ...place };
  }
}

async function placeOf(world: World): Promise<Pick<EchoEnd, "meet" | "part">> {
  const slots = slotsIn(world, "stream");
  const store = await world.store("server");
  let close = (): void => {};
  return {
    meet: async (key) => {
      const host = await world.host("server", (datagram, from) => group.arrive(datagram, from));
      let group!: GroupStack;
      await world.time((done) => {
        group = new GroupStack({
          store,
          key,
          slots,
          ...host,
          app: {
            ready: done,
            receive: (messages) => group.send(messages.map(({ data, from }) => ({ data, to: from! }))),
          },
        });
      });
      close = () => {
        group.close();
        host.close();
      };
    },
    part: async () => close(),
  };
}
