/** How the requests of a session travel: over the stream, or each as a unary call. */
import type { CcparkError } from "../../../core/errors.ts";
import type { ResetResponse, StepResponse } from "../generated/ccpark/v1/environment.ts";
import type { SessionRequest } from "../session/env-host.ts";

export type Answer =
  | { readonly $case: "reset"; readonly value: ResetResponse }
  | { readonly $case: "step"; readonly value: StepResponse };

export interface Transport {
  /** Ready for requests. @throws CcparkError */
  attach(): Promise<void>;
  /**
   * Gives the request its number and sends it. Answers come in the order of the requests.
   * @throws CcparkError, as a rejection
   */
  ask(request: SessionRequest): Promise<Answer>;
  /** Nothing can be asked any more; whoever waits is told why. */
  break(error: CcparkError): void;
  /** whether nothing can be asked any more */
  readonly isBroken: boolean;
}
