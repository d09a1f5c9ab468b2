/** Hosts that negotiate, in virtual time: over memory or the simulator's paths. */
import { MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { Surroundings } from "../chunnel.ts";
import { LiveStack, type LiveStackOptions } from "../live/live-stack.ts";
import { Acceptor } from "../negotiate/acceptor.ts";
import type { Slot } from "../negotiate/choose.ts";
import { ClientNegotiation, type Tickets } from "../negotiate/handshake.ts";
import type { App, DatagramPort } from "../stack/open.ts";
import type { OnDatagram } from "./memory.ts";

type MakePort = (onDatagram: OnDatagram) => DatagramPort;

const GIVE_UP_US: Micros = 60 * MICROS_PER_SEC;

export interface HostOptions extends Pick<LiveStackOptions, "openWay"> {
  readonly slots: readonly Slot[];
  readonly surroundings: Surroundings;
}

/** @param onConnection gives the application of a new one; its stack is in `live` when that returns */
export function listenIn(
  makePort: MakePort,
  options: HostOptions,
  onConnection: (peer: string, live: LiveStack) => App,
): Acceptor<LiveStack> {
  const port = makePort((datagram, from) => acceptor.arrive(datagram, from));
  const { slots, surroundings, openWay } = options;
  const acceptor = new Acceptor<LiveStack>({
    slots,
    surroundings,
    send: (datagram, to) => port.send(datagram, to),
    begin: (opening, peer, remove) => {
      const app: App = {
        receive: (messages) => own.receive(messages),
        feedback: (fate) => own.feedback?.(fate),
        pull: (most) => own.pull?.(most) ?? [],
        roomGrew: () => own.roomGrew?.(),
        fail: (error) => own.fail?.(error),
      };
      const live = new LiveStack({
        side: "server",
        surroundings,
        app,
        slots,
        way: { port, peer },
        openWay,
        closed: remove,
      });
      const own = onConnection(peer, live);
      live.open(opening);
      return live;
    },
  });
  return acceptor;
}

export interface ClientEnd {
  readonly live: LiveStack;
  readonly negotiation: ClientNegotiation;
}

/** Begins at once: without a round trip where there is a ticket. */
export function connectIn(
  makePort: MakePort,
  options: HostOptions & { readonly tickets: Tickets; readonly server: string; readonly app: App },
): ClientEnd {
  const { slots, surroundings, tickets, server, app, openWay } = options;
  const port = makePort((datagram, from) => {
    if (from === server && !negotiation.arrive(datagram)) live.arrive(datagram, from);
  });
  const wrapping: DatagramPort = {
    ...port,
    send: (datagram, to) => port.send(negotiation.wrap(datagram), to),
  };
  const live = new LiveStack({
    side: "client",
    surroundings,
    app,
    slots,
    way: { port: wrapping, peer: server },
    openWay,
    confirmed: () => negotiation.confirm(),
    closed: () => negotiation.close(),
  });
  const negotiation = new ClientNegotiation({
    slots,
    surroundings,
    tickets,
    server,
    giveUpUs: GIVE_UP_US,
    send: (datagram) => port.send(datagram, server),
    opened: (agreed) => live.open(agreed),
    failed: (error) => live.fail(error),
  });
  negotiation.begin();
  return { live, negotiation };
}
