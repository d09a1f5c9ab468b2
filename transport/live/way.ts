/** How datagrams go for the stacks that end in a base. */
import type { CcparkError } from "../../core/errors.ts";
import type { DatagramPort } from "../stack/open.ts";

export interface Way {
  readonly port: DatagramPort;
  /** the peer's address; set by the stack when it has learned it, where it is not known before */
  readonly peer?: string;
  close?(): void;
}

export type OpenWay = (
  base: string,
  onDatagram: (datagram: Uint8Array, from: string) => void,
  done: (way: Way | CcparkError) => void,
) => void;
