import { type Bytes, type BytesPerSec, NANOS_PER_SEC, type Nanos } from "../../../core/units.ts";
import type { Server } from "../server.ts";
import type { Serve } from "./link-servers.ts";

/** As fast as somebody says at the moment: each packet is served at the rate of the time when its service begins. */
export interface ControlledLinkRate {
  readonly kind: "controlled";
  /** > 0; Infinity: at once */
  readonly rateBytesPerSec: () => BytesPerSec;
}

class ControlledServer implements Server {
  readonly #rateBytesPerSec: () => BytesPerSec;
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  constructor(rateBytesPerSec: () => BytesPerSec) {
    this.#rateBytesPerSec = rateBytesPerSec;
  }

  readyNs(sinceNs: Nanos): Nanos {
    return Math.max(sinceNs, this.departNs);
  }

  serve(sinceNs: Nanos, bytes: Bytes): void {
    this.startNs = Math.max(sinceNs, this.departNs);
    this.departNs = this.startNs + (bytes * NANOS_PER_SEC) / this.#rateBytesPerSec();
  }

  /** What it would have been is not known. */
  capacityBytes(): Bytes {
    return Number.POSITIVE_INFINITY;
  }
}

/** Outages are the business of whoever says the rate. */
export const serveControlled: Serve<ControlledLinkRate> = ({ rateBytesPerSec }) =>
  new ControlledServer(rateBytesPerSec);
