/** Who a call comes from, for what is counted by client and for what only its owner may fetch. */
import { createHash } from "node:crypto";
import type { ServerUnaryCall } from "@grpc/grpc-js";

export type Caller = Pick<ServerUnaryCall<unknown, unknown>, "metadata" | "getPeer" | "getAuthContext">;

/**
 * The bearer token where calls carry one, else the certificate of the client.
 * @returns "": neither, and anybody who reaches the server is as good as any other
 */
export function ownerOf(call: Caller): string {
  const [token] = call.metadata.get("authorization");
  if (token !== undefined) {
    return `token ${createHash("sha256")
      .update(String(token).replace(/^Bearer +/i, ""))
      .digest("hex")}`;
  }
  const certificate = call.getAuthContext().sslPeerCertificate;
  return certificate?.fingerprint256 === undefined ? "" : `certificate ${certificate.fingerprint256}`;
}

/** The owner, or without one the connection. */
export function clientOf(call: Caller): string {
  return ownerOf(call) || `connection ${call.getPeer()}`;
}
