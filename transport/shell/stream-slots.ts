/** The standard stack of a stream as an end offers it, by the options that users give. */
import { CcparkError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import type { Surroundings } from "../chunnel.ts";
import { udp, unix } from "../chunnels/base.ts";
import { cc } from "../chunnels/control/cc.ts";
import { flow } from "../chunnels/control/flow.ts";
import { encrypt } from "../chunnels/framing/encrypt.ts";
import { frame } from "../chunnels/framing/frame.ts";
import { nothing } from "../chunnels/nothing.ts";
import { order } from "../chunnels/reliability/order.ts";
import { reliable } from "../chunnels/reliability/reliable.ts";
import { sack } from "../chunnels/reliability/sack.ts";
import { type Slot, select } from "../negotiate/choose.ts";

export interface StreamOptions {
  /** 0: yields to everybody; N: the share of N TCPs; default 1 */
  readonly priority?: number;
  /** instead of `priority`: any algorithm that CCP runs, such as `copa` */
  readonly algorithm?: string;
  /** what both ends know: with it the connection is encrypted */
  readonly secret?: string;
  /** with a secret: `required`, the default; `preferred` or `allowed`: as the peer has it; `off` */
  readonly encryption?: "required" | "preferred" | "allowed" | "off";
  /** bytes that the receiver holds for an application that does not read */
  readonly windowBytes?: Bytes;
  /** after so long without traffic a message keeps a NAT's mapping; default 15 s (RFC 4787: at least 30 s) */
  readonly keepAliveMs?: number;
  /** after so long without an answer the peer is gone; default 60 */
  readonly giveUpSec?: number;
  /** many datagrams by one system call (GSO, GRO), on Linux with koffi; default true: where it can be */
  readonly offload?: boolean;
  /** of the connections' events, in qlog's form */
  readonly trace?: Surroundings["trace"];
}

/** What changes in a live connection; the rest stays. */
export interface StreamUpgrade extends Pick<StreamOptions, "priority" | "algorithm" | "encryption"> {
  /** `unix`: by sockets inside this host, which both ends must be on */
  readonly datapath?: "udp" | "unix";
}

export function algorithmOf({ priority = 1, algorithm }: StreamOptions): string {
  return algorithm ?? `dtl:priority=${priority}`;
}

/** What an end offers for a stream, from the top. @throws CcparkError (invalid-argument, not-found) */
export function streamSlots(options: StreamOptions & StreamUpgrade = {}): readonly Slot[] {
  const { windowBytes, giveUpSec } = options;
  return [
    flow({ windowBytes }),
    order(),
    reliable(),
    cc({ algorithm: algorithmOf(options), mssBytes: 1_448 }),
    sack({ giveUpSec }),
    ...privacySlots(options),
    frame(),
    options.datapath === "unix" ? unix() : udp(),
  ];
}

function privacySlots({ secret, encryption }: StreamOptions): Slot[] {
  if (secret === undefined) {
    if (encryption === undefined || encryption === "off") return [];
    throw new CcparkError("invalid-argument", `[transport] encryption: got ${encryption} without a secret`);
  }
  const sealed = encrypt({ secret });
  switch (encryption ?? "required") {
    case "required":
      return [sealed];
    case "preferred":
      return [select(sealed, nothing())];
    case "allowed":
      return [select(nothing(), sealed)];
    case "off":
      return [];
    default: {
      const expected = "one of required, preferred, allowed, off";
      throw new CcparkError(
        "invalid-argument",
        `[transport] encryption: got ${encryption}, expected ${expected}`,
      );
    }
  }
}
