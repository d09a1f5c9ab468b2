/** What tools expect of any gRPC server: grpc.health.v1.Health and server reflection. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Server } from "@grpc/grpc-js";
import type { ServerLog } from "./server-log.ts";

/** What reflection tells of, in the folder `proto`: made by `npm run proto`. */
const DESCRIPTORS = "descriptors.binpb";

/** `proto/` of the package, from `envs/grpc/server/`, from `dist/envs/grpc/server/`, or beside a bundle. */
export function findProtoFolder(): string | undefined {
  return ["../../../proto", "../../../../proto", "./proto"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, DESCRIPTORS)));
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

/** Where the descriptors are missing, as beside an odd bundle, the server runs without it. @param services full names */
export async function addReflection(
  server: Server,
  {
    protoFolder,
    services,
  }: { readonly protoFolder: string | undefined; readonly services: readonly string[] },
  log: ServerLog,
): Promise<boolean> {
  try {
    if (protoFolder === undefined) throw new Error("no folder `proto` near the program");
    const { addReflectionService } = await import("./reflection.ts");
    await addReflectionService(server, join(protoFolder, DESCRIPTORS), services);
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warn({ protoFolder }, `no server reflection: ${why}`);
    return false;
  }
}
