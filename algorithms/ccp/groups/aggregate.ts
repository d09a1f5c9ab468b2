/**
 * One window for all flows of a host to a destination, split by weights: the Congestion Manager (Balakrishnan, Rahul and Seshan,
 * "An integrated congestion management architecture for Internet hosts", SIGCOMM 1999; RFC 3124) as the CCP thesis has it (4.7.3).
 * The window follows Reno's rules, as of one flow that hears of every ACK and loss; a flow that joins has its share at once, paced,
 * and the others give it up by their next reports, a quarter of a round trip later.
 */
import type {
  CcpAlgorithm,
  CcpFlow,
  FlowControl,
  FlowInfo,
  Report,
} from "../../../ccp-bridge/agent/algorithm.ts";
import { MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import { type Member as TreeMember, WeightTree } from "../../../flows/weights.ts";
import type { AlgorithmSpec } from "../../spec.ts";
import {
  type Decision,
  type Interval,
  intervalFlow,
  intervalPrograms,
  type Rules,
} from "../parts/interval-flow.ts";

/** RFC 5681: a flow keeps at least two packets, or fast retransmit could never start again. */
const MIN_PACKETS = 2;
/** Linux's pacing: twice the window per RTT while it doubles, 1.2 times afterwards (net.ipv4.tcp_pacing_*_ratio). */
const SLOW_START_PACE = 2;
const PACE = 1.2;
/** RFC 6298: how much a new sample counts in the smoothed RTT. */
const SRTT_WEIGHT = 1 / 8;

class Group {
  readonly #beta: number;
  #windowPackets: number;
  #ssthreshPackets = Number.POSITIVE_INFINITY;
  readonly #tree = new WeightTree();
  /** small shares of flows of flows: a window's fraction of a packet, which no sender can use, is kept for the next one */
  keepsFractions = false;
  /** undefined: no sample yet */
  #srttUs: Micros | undefined;
  #cutUs: Micros = Number.NEGATIVE_INFINITY;

  constructor(beta: number, windowPackets: number) {
    this.#beta = beta;
    this.#windowPackets = windowPackets;
  }

  join({ aggregates, weight }: FlowInfo): TreeMember {
    if (aggregates.length > 0) this.keepsFractions = true;
    return this.#tree.join(aggregates, weight);
  }

  share(member: TreeMember): number {
    return Math.max(MIN_PACKETS, member.of(this.#windowPackets));
  }

  /** undefined before the first RTT */
  ratePacketsPerSec(member: TreeMember): number | undefined {
    if (this.#srttUs === undefined) return undefined;
    const gain = this.#windowPackets < this.#ssthreshPackets ? SLOW_START_PACE : PACE;
    return (gain * this.share(member) * MICROS_PER_SEC) / this.#srttUs;
  }

  onInterval({ samples, meanRttUs, growing, deliveredPackets }: Interval): void {
    if (samples > 0) {
      const was = this.#srttUs ?? meanRttUs;
      this.#srttUs = was + SRTT_WEIGHT * (meanRttUs - was);
    }
    if (!growing) return;
    const isStarting = this.#windowPackets < this.#ssthreshPackets;
    this.#windowPackets += isStarting ? deliveredPackets : deliveredPackets / this.#windowPackets;
  }

  /** Losses of any flow within one round trip are one episode. */
  onLoss(nowUs: Micros): void {
    if (nowUs - this.#cutUs < (this.#srttUs ?? 0)) return;
    this.#cutUs = nowUs;
    this.#windowPackets = Math.max(MIN_PACKETS, this.#windowPackets * this.#beta);
    this.#ssthreshPackets = this.#windowPackets;
  }
}

class MemberRules implements Rules {
  readonly #group: Group;
  readonly #member: TreeMember;
  #keptPackets = 0;

  constructor(group: Group, member: TreeMember) {
    this.#group = group;
    this.#member = member;
  }

  onInterval(interval: Interval): Decision | undefined {
    this.#group.onInterval(interval);
    // after a timeout of its own it comes back by slow start
    if (interval.slowStart) return undefined;
    return {
      cwndPackets: this.#window(),
      ratePacketsPerSec: this.#group.ratePacketsPerSec(this.#member),
    };
  }

  #window(): number {
    const share = this.#group.share(this.#member);
    if (!this.#group.keepsFractions) return share;
    const packets = Math.floor(share + this.#keptPackets);
    this.#keptPackets += share - packets;
    return packets;
  }

  onLoss({ nowUs }: Interval): number {
    this.#group.onLoss(nowUs);
    return this.#group.share(this.#member);
  }
}

class Member implements CcpFlow {
  readonly #group: Group;
  readonly #member: TreeMember;
  readonly #flow: CcpFlow;

  constructor(group: Group, control: FlowControl, info: FlowInfo) {
    const member = group.join(info);
    this.#group = group;
    this.#member = member;
    this.#flow = intervalFlow(control, info, "quarter", {
      rules: new MemberRules(group, member),
      slowStart: false,
      initial: {
        cwndPackets: group.share(member),
        ratePacketsPerSec: group.ratePacketsPerSec(member),
      },
    });
  }

  onReport(report: Report): void {
    this.#flow.onReport(report);
  }

  onClose(): void {
    this.#member.leave();
  }

  createSubflow(control: FlowControl, info: FlowInfo): CcpFlow {
    return new Member(this.#group, control, info);
  }
}

function makeAggregate(beta: number): CcpAlgorithm {
  return {
    name: "aggregate",
    programs: intervalPrograms("quarter"),
    aggregateBy: ({ dstIp }) => dstIp,
    newFlow: (control, info) => {
      return new Member(new Group(beta, info.initCwndBytes / info.mssBytes), control, info);
    },
  };
}

export const aggregate: AlgorithmSpec = {
  name: "aggregate",
  summary:
    "one Reno window for all flows of a host to a destination, split by weights: who joins has its share at once",
  source: "Congestion Manager, RFC 3124; CCP thesis, section 4.7.3",
  reads: ["loss", "timeout", "rtt"],
  params: [
    {
      name: "beta",
      unit: "1",
      low: 0.1,
      high: 0.95,
      default: 0.5,
      why: "what a loss episode leaves of the window of all: RFC 5681",
    },
  ],
  ccp: ({ beta }) => makeAggregate(beta!),
};
