/** The slots of a datapath in the kernel, as far as they only tell: `struct slot` of ccp.bpf.c. */
import { CAPACITY } from "../../ccp-bridge/program.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import type { Libc } from "../host/libc.ts";
import { Bpf } from "./bpf/bpf.ts";
import { SHELL } from "./bpf/shell.ts";

/** Word (u32) of a slot with its flow's id. */
export const OWNER = 1;
/** Bytes of a slot. */
export const VALUES_AT = 24;
const MAX_UPDATES = CAPACITY.control + 2;
export const WORDS_AT: number = VALUES_AT + 8 * MAX_UPDATES;
export const FACTS_AT: number = WORDS_AT + 2 * MAX_UPDATES;
/** Bytes of the facts. */
const NAME_AT = 88;
const NAME_BYTES = 16;
/** What the map is called, and where `struct bpf_map_info` says that. */
const MAP_NAME = "slots";
const INFO = { bytes: 80, valueBytes: 12, name: 24 } as const;

/** What the kernel says of a flow, as of its last ACK. */
export interface KernelFlowFacts {
  readonly flowId: number;
  readonly acks: number;
  /** those under the native control */
  readonly nativeAcks: number;
  readonly reports: number;
  /** reports that found the ring full */
  readonly lostReports: number;
  /** invocations that ended in an arithmetic error */
  readonly errors: number;
  /** commands of the agent that took effect */
  readonly commands: number;
  readonly cwndBytes: Bytes;
  /** 0: none */
  readonly rateBytesPerSec: BytesPerSec;
  readonly srttUs: Micros;
  /** undefined: the native control drives it, or it is of another process, whose numbers are not known here */
  readonly programUid: number | undefined;
  /** a program drives it, not the native control */
  readonly runsProgram: boolean;
  /** of the congestion control, as sockets choose it */
  readonly algorithm: string;
  readonly srcIp: number;
  readonly srcPort: number;
  readonly dstIp: number;
  readonly dstPort: number;
}

/** Number of a program as the agent knows it, by its place in the kernel's table. */
type UidOf = (place: number) => number | undefined;

export class SlotFacts {
  readonly #uidOf: UidOf;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #values: BigUint64Array;

  constructor(memory: ArrayBuffer, uidOf: UidOf) {
    this.#uidOf = uidOf;
    this.#bytes = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.#values = new BigUint64Array(memory);
  }

  /** Of all flows that there are. */
  facts(): KernelFlowFacts[] {
    const all: KernelFlowFacts[] = [];
    for (let slot = 0; slot < SHELL.maxFlows; slot++) {
      const flowId = this.#words[slot * (SHELL.slotBytes / 4) + OWNER]! >>> 0;
      if (flowId !== 0) all.push(this.factsOf(flowId));
    }
    return all;
  }

  /** @param flowId of a flow that there is */
  factsOf(flowId: number): KernelFlowFacts {
    const at = (flowId % SHELL.maxFlows) * SHELL.slotBytes + FACTS_AT;
    const wide = (place: number): number => Number(this.#values[at / 8 + place]);
    const word = (place: number): number => this.#words[at / 4 + place]! >>> 0;
    const name = this.#bytes.subarray(at + NAME_AT, at + NAME_AT + NAME_BYTES);
    return {
      flowId,
      acks: wide(0),
      reports: wide(1),
      lostReports: wide(2),
      errors: wide(3),
      cwndBytes: wide(4),
      rateBytesPerSec: wide(5),
      srttUs: word(12),
      programUid: this.#uidOf(word(13)),
      runsProgram: word(13) !== 0,
      nativeAcks: wide(7),
      commands: wide(8),
      srcIp: word(18),
      dstIp: word(19),
      srcPort: word(20),
      dstPort: word(21),
      algorithm: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    };
  }
}

/** Flows under congestion controls of ours, of any process. @throws SystemCallError (permission-denied) without root */
export function flowsInKernel(libc: Libc): KernelFlowFacts[] {
  const bpf = new Bpf(libc);
  return bpf.mapIds().flatMap((id) => {
    const fd = bpf.openMap(id);
    if (fd === undefined) return [];
    try {
      const info = bpf.info(fd, INFO.bytes);
      const bytes = new Uint8Array(info.buffer, INFO.name, NAME_BYTES);
      const name = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
      if (name !== MAP_NAME || info.getUint32(INFO.valueBytes, true) !== SHELL.slotBytes) return [];
      const map = bpf.mapValues(fd, SHELL.slotBytes * SHELL.maxFlows);
      try {
        return new SlotFacts(map.bytes, () => undefined).facts();
      } finally {
        map.close();
      }
    } finally {
      bpf.close(fd);
    }
  });
}
