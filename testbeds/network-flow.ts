/** What the owner of a flow's sender knows of it, where the network of this process has it. */
import { type Bytes, type BytesPerSec, type Micros, MSS_BYTES, type Nanos } from "../core/units.ts";
import type { NetworkFlow } from "../sim/network.ts";
import type { FlowLife } from "./lives.ts";
import type { PlannedFlow } from "./simulated/network-plan.ts";
import type { RunFlow } from "./testbed.ts";
import type { MediaCall } from "./traffic/media.ts";

/** A flow of the scenario as it runs. */
export class NetworkRunFlow implements RunFlow {
  readonly id: string;
  readonly algorithm: string;
  readonly isBackward: boolean;
  readonly life: FlowLife | undefined;
  readonly call: MediaCall | undefined;
  /** the network's own */
  readonly path: NetworkFlow;

  constructor({ id, algorithm, isBackward, life, call }: PlannedFlow, flow: NetworkFlow) {
    this.id = id;
    this.algorithm = algorithm;
    this.isBackward = isBackward;
    this.life = life;
    this.call = call;
    this.path = flow;
  }

  get startNs(): Nanos {
    return this.path.spec.startNs;
  }

  get stopNs(): Nanos {
    return this.path.spec.stopNs;
  }

  get propagationNs(): Nanos {
    return this.path.spec.propagationNs;
  }

  get reversePropagationNs(): Nanos {
    return this.path.spec.reversePropagationNs ?? this.path.spec.propagationNs;
  }

  get mssBytes(): Bytes {
    return this.path.spec.mssBytes ?? MSS_BYTES;
  }

  get hasStarted(): boolean {
    return this.path.sender !== undefined;
  }

  get isComplete(): boolean {
    return this.path.sender?.complete === true;
  }

  get acks(): number {
    return this.path.sender?.acks ?? 0;
  }

  get sentPackets(): number {
    return this.path.sender?.sentPackets ?? 0;
  }

  get deliveredPackets(): number {
    return this.path.sender?.deliveredPackets ?? 0;
  }

  get lostPackets(): number {
    return this.path.sender?.lostPackets ?? 0;
  }

  get timeouts(): number {
    return this.path.sender?.timeouts ?? 0;
  }

  get inflightPackets(): number {
    return this.path.sender?.inflightPackets ?? 0;
  }

  get cwndPackets(): number {
    return this.path.sender?.cwndPackets ?? 0;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.path.sender?.control.pacingRateBytesPerSec;
  }

  get srttUs(): Micros {
    return this.path.sender?.rtt.srttUs ?? 0;
  }

  get minRttUs(): Micros {
    const minRttUs = this.path.sender?.rtt.minRttUs ?? 0;
    return Number.isFinite(minRttUs) ? minRttUs : 0;
  }
}
