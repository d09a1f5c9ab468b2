/** The two sockets of one flow, one at each end of a link, connected to each other. */
import { NOT_ECT } from "../../sim/general/packet-store.ts";
import { sockaddrIn } from "../host/addresses.ts";
import {
  AF_INET,
  IP_TOS,
  IPPROTO_IP,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "../host/constants.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";
import type { EmulatedLink, LinkEnd } from "./open-link.ts";

/** bursts wait there while this thread is held up */
const BUFFER_BYTES = 8 << 20;

interface Listener {
  onReadable(fd: number): void;
  onPath(port: number, path: number): void;
}

export class UdpPair {
  readonly #libc: Libc;
  readonly #port: number;
  readonly #listener: Listener;
  readonly #client: number;
  readonly #server: number;
  readonly #polls: readonly { close(): void }[];
  #path = -1;
  #ecn = NOT_ECT;

  constructor(libc: Libc, link: EmulatedLink, port: number, listener: Listener) {
    this.#libc = libc;
    this.#port = port;
    this.#listener = listener;
    this.#client = open(libc, link.client, link.server, port);
    this.#server = open(libc, link.server, link.client, port);
    this.#polls = [this.#client, this.#server].map((fd) =>
      libc.onReadable(fd, () => listener.onReadable(fd)),
    );
  }

  /**
   * Whose packets come next: another flow may have had these sockets before.
   * @param ecn the field of a sender that understands marks, or NOT_ECT
   */
  use(path: number, ecn: number): void {
    if (path !== this.#path) {
      this.#path = path;
      this.#listener.onPath(this.#port, path);
    }
    if (ecn !== NOT_ECT && ecn !== this.#ecn) {
      this.#ecn = ecn;
      for (const fd of [this.#client, this.#server]) {
        this.#libc.setsockopt(fd, IPPROTO_IP, IP_TOS, ecn);
      }
    }
  }

  /** What the system cannot take is lost. */
  send(from: "client" | "server", bytes: Uint8Array, length: number): void {
    this.#libc.send(from === "client" ? this.#client : this.#server, bytes, length);
  }

  close(): void {
    for (const poll of this.#polls) poll.close();
    this.#libc.close(this.#client);
    this.#libc.close(this.#server);
  }
}

function open(libc: Libc, own: LinkEnd, other: LinkEnd, port: number): number {
  const fd = own.namespace.run(() => libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
  enlarge(libc, fd, SO_RCVBUFFORCE, SO_RCVBUF);
  enlarge(libc, fd, SO_SNDBUFFORCE, SO_SNDBUF);
  libc.bind(fd, sockaddrIn(own.address, port));
  libc.connect(fd, sockaddrIn(other.address, port));
  return fd;
}

/** As large as asked for by root, else as large as the system allows. */
function enlarge(libc: Libc, fd: number, force: number, option: number): void {
  try {
    libc.setsockopt(fd, SOL_SOCKET, force, BUFFER_BYTES);
  } catch (error) {
    if (!(error instanceof SystemCallError && error.errnoName === "EPERM")) throw error;
    libc.setsockopt(fd, SOL_SOCKET, option, BUFFER_BYTES);
  }
}
