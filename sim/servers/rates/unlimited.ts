import { ConstantServer } from "../constant-server.ts";
import { UnlimitedServer } from "../unlimited-server.ts";
import type { Serve } from "./link-servers.ts";

export interface UnlimitedLinkRate {
  readonly kind: "unlimited";
}

export const serveUnlimited: Serve<UnlimitedLinkRate> = (_, { outages }) =>
  outages.length === 0 ? new ConstantServer(Number.POSITIVE_INFINITY) : new UnlimitedServer(outages);
