/** An environment as it is served under its id. */
import type { EnvKind } from "../../vector/slots/slot-env.ts";
import type { DescribeEnvResponse, EnvInfo } from "../generated/ccpark/v1/environment.ts";

export interface ServedEnv extends EnvKind {
  list(): EnvInfo;
  describe(): DescribeEnvResponse;
}
