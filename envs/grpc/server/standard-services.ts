/** What tools expect of any gRPC server: grpc.health.v1.Health and server reflection. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Server } from "@grpc/grpc-js";
import type { ServerLog } from "./server-log.ts";

/** The .proto files that reflection tells of, below the folder `proto`. */
const SERVED_PROTOS = [
  "ccpark/v1/environment.proto",
  "dm_env_rpc/v1/dm_env_rpc.proto",
  "google/rpc/error_details.proto", // read by tools that show error details
] as const;

/** `proto/` of the package, from `envs/grpc/server/`, from `dist/envs/grpc/server/`, or beside a bundle. */
export function findProtoFolder(): string | undefined {
  return ["../../../proto", "../../../../proto", "./proto"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, SERVED_PROTOS[0])));
}

export interface Health {
  /** NOT_SERVING for the server and each of its services */
  drain(): void;
}

/** @param services full names, each with a health of its own */
export async function addHealth(server: Server, services: readonly string[]): Promise<Health> {
  const { HealthImplementation } = await import("grpc-health-check");
  const names = ["", ...services]; // "": the server as a whole
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, "SERVING"])));
  health.addToServer(server);
  return {
    drain() {
      for (const name of names) health.setStatus(name, "NOT_SERVING");
    },
  };
}

/** Reflection reads .proto files; where they are missing, as beside an odd bundle, the server runs without it. */
export async function addReflection(
  server: Server,
  protoFolder: string | undefined,
  log: ServerLog,
): Promise<boolean> {
  try {
    if (protoFolder === undefined) throw new Error("no folder `proto` near the program");
    const { loadSync } = await import("@grpc/proto-loader");
    const { ReflectionService } = await import("@grpc/reflection");
    const health = await import("grpc-health-check");
    const definition = loadSync([...SERVED_PROTOS.map((path) => join(protoFolder, path)), health.protoPath], {
      includeDirs: [protoFolder],
    });
    new ReflectionService(definition).addToServer(server);
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warn({ protoFolder }, `no server reflection: ${why}`);
    return false;
  }
}
