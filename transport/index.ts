/**
 * A transport out of building blocks: a stack is a list of chunnels, and the order is the meaning. The core owns neither sockets
 * nor clocks; `worlds/` carries it in virtual time, `shell/` over UDP and unix sockets.
 */
export type {
  Above,
  Below,
  Capability,
  Chunnel,
  DataKind,
  DataKinds,
  Feedback,
  Label,
  Message,
  Surroundings,
  Timer,
} from "./chunnel.ts";
export { memory, simulated, udp, unix } from "./chunnels/base.ts";
export { cc } from "./chunnels/control/cc.ts";
export { flow } from "./chunnels/control/flow.ts";
export { pace } from "./chunnels/control/pace.ts";
export { compress } from "./chunnels/framing/compress.ts";
export { encrypt } from "./chunnels/framing/encrypt.ts";
export { frame } from "./chunnels/framing/frame.ts";
export { serialise } from "./chunnels/framing/serialise.ts";
export { nothing } from "./chunnels/nothing.ts";
export { batch } from "./chunnels/queues/batch.ts";
export { buffer } from "./chunnels/queues/buffer.ts";
export { late } from "./chunnels/queues/late.ts";
export { schedule } from "./chunnels/queues/schedule.ts";
export { once } from "./chunnels/reliability/once.ts";
export { order } from "./chunnels/reliability/order.ts";
export { reliable } from "./chunnels/reliability/reliable.ts";
export { retry } from "./chunnels/reliability/retry.ts";
export { sack } from "./chunnels/reliability/sack.ts";
export { forward } from "./chunnels/routing/forward.ts";
export { local } from "./chunnels/routing/local.ts";
export { type ChooseNext, type NeighbourFacts, route } from "./chunnels/routing/route.ts";
export { shard, shardOf } from "./chunnels/routing/shard.ts";
export { trace } from "./chunnels/trace.ts";
export { LiveStack, type LiveStackOptions } from "./live/live-stack.ts";
export { epochSession } from "./live/succession.ts";
export type { OpenWay, Way } from "./live/way.ts";
export {
  type Agreement,
  negotiate,
  type Select,
  type SelectPolicy,
  type Slot,
  select,
} from "./negotiate/choose.ts";
export {
  type Agreed,
  ClientNegotiation,
  type ClientNegotiationOptions,
  carriedBy,
  ServerNegotiation,
  Tickets,
} from "./negotiate/handshake.ts";
export { type GroupApp, type GroupOptions, GroupStack } from "./rendezvous/group-stack.ts";
export { MemoryStore, type RendezvousStore, type StoreEntry } from "./rendezvous/store.ts";
export { Connection } from "./shell/connection.ts";
export {
  type ConnectOptions,
  connect,
  type Listener,
  type ListenOptions,
  listen,
} from "./shell/dtl.ts";
export { type LocalPort, openLocalPort } from "./shell/local-port.ts";
export { fileStore } from "./shell/rendezvous/file-store.ts";
export {
  type EtcdClient,
  etcdStore,
  type PromisedStore,
  promisedStore,
  type RedisClient,
  redisStore,
} from "./shell/rendezvous/foreign-stores.ts";
export { Group, type MeetOptions, meet } from "./shell/rendezvous/meet.ts";
export { connectStore } from "./shell/rendezvous/store-client.ts";
export { type StoreServer, type StoreServerOptions, serveStore } from "./shell/rendezvous/store-server.ts";
export { type StreamOptions, type StreamUpgrade, streamSlots } from "./shell/stream-slots.ts";
export { realSurroundings } from "./shell/surroundings.ts";
export { UdpSocket } from "./shell/udp-socket.ts";
export { drawStack } from "./stack/draw.ts";
export { type App, type DatagramPort, OpenStack, type OpenStackOptions } from "./stack/open.ts";
export { type Optimised, optimise, PASSES, type Pass } from "./stack/optimise.ts";
export { CHUNNELS, parseChunnel, parseStack, stackToJson } from "./stack/registry.ts";
export { type ChunnelSpec, checkStack, type KindOf, stack } from "./stack/spec.ts";
export { type ClientEnd, connectIn, type HostOptions, listenIn } from "./worlds/live-hosts.ts";
export { MemoryNetwork, type MemoryPath } from "./worlds/memory.ts";
export { SimulatedWorld } from "./worlds/simulated.ts";
export { seededSurroundings, VirtualClock } from "./worlds/virtual-clock.ts";
