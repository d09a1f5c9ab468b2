/** A congestion control that Linux itself has, such as its Cubic: it runs where flows are Linux TCP's, and nowhere else. */
import type { CcpAlgorithm, CcpFlow } from "../ccp-bridge/agent/algorithm.ts";
import { CcparkError } from "../core/errors.ts";
import type { AlgorithmSpec } from "./spec.ts";

const KERNEL_PREFIX = "kernel-";

export class KernelAlgorithm implements CcpAlgorithm {
  /** as in tables: `kernel-cubic` */
  readonly name: string;
  /** as Linux calls it: `cubic` */
  readonly kernelName: string;
  readonly programs: CcpAlgorithm["programs"] = {};

  constructor(kernelName: string) {
    this.kernelName = kernelName;
    this.name = `${KERNEL_PREFIX}${kernelName}`;
  }

  /** @throws CcparkError (failed-precondition): whoever calls it is not Linux */
  newFlow(): CcpFlow {
    const message = `[algorithm] ${this.name} is Linux's own: it needs flows of Linux TCP (--on linux)`;
    throw new CcparkError("failed-precondition", message);
  }
}

const NAME = /^kernel-([a-z0-9_-]{1,15})$/;

/** `kernel-cubic`: what Linux calls cubic; undefined: another kind of name. Which there are is known where they run. */
export function kernelSpec(reference: string): AlgorithmSpec | undefined {
  const kernelName = NAME.exec(reference)?.[1];
  if (kernelName === undefined) return undefined;
  return {
    name: reference,
    summary: `Linux's own ${kernelName}, in the testbed linux`,
    source: `net/ipv4/tcp_${kernelName}.c`,
    reads: [],
    params: [],
    ccp: () => new KernelAlgorithm(kernelName),
  };
}
