/** The bottoms of stacks: datagrams of a socket, of a simulated path or of memory. Whoever opens the stack gives it the port. */
import { assert } from "../../core/errors.ts";
import type { ChunnelSpec } from "../stack/spec.ts";

export type BaseSpec = ChunnelSpec<"bytes", "none", never, "addressed">;

function base(name: string): BaseSpec {
  const make = (): never => assert(false, "the stack makes its base itself") as never;
  return { name, up: "bytes", down: "none", needs: [], gives: ["addressed"], options: {}, make };
}

/** UDP sockets. */
export function udp(): BaseSpec {
  return base("udp");
}

/** Unix datagram sockets, between processes of one host. */
export function unix(): BaseSpec {
  return base("unix");
}

/** A path of the simulator, in virtual time. */
export function simulated(): BaseSpec {
  return base("simulated");
}

/** Memory, in virtual time, with the faults that its network has. */
export function memory(): BaseSpec {
  return base("memory");
}
