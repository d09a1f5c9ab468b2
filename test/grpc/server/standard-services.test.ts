/** Health and reflection, asked as tools ask. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  makeClientConstructor,
  status,
} from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { service as healthService } from "grpc-health-check";
import { expect, it } from "vitest";
import type { ServerLog } from "../../../envs/grpc/server/server-log.ts";
import { startServer } from "../../../envs/grpc/server.ts";
import { toyHost } from "../toy-env.ts";
import { RawClient, resetPayload, stepPayload } from "./raw-client.ts";

const REFLECTION_PROTO = fileURLToPath(
  new URL(
    "../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto",
    import.meta.url,
  ),
);
const SERVICES = ["ccpark.v1.EnvService", "dm_env_rpc.v1.Environment", "grpc.health.v1.Health"];

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly errorResponse?: { readonly errorCode: number };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

it("reflection lists every service and knows its files", async () => {
  const server = await startServer({ port: 0, envHost: toyHost() });
  const definition = loadSync(REFLECTION_PROTO)["grpc.reflection.v1.ServerReflection"] as ServiceDefinition;
  const Reflection = makeClientConstructor(definition as never, "ServerReflection");
  const client = new Reflection(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const call = (
    client as unknown as { serverReflectionInfo(): ClientDuplexStream<object, ReflectionAnswer> }
  ).serverReflectionInfo();
  const ask = (request: object): Promise<ReflectionAnswer> =>
    new Promise((resolve, reject) => {
      call.once("data", resolve).once("error", reject);
      call.write(request);
    });
  const { listServicesResponse } = await ask({ listServices: "" });
  const names = listServicesResponse!.service.map(({ name }) => name);
  for (const service of SERVICES) {
    expect(names).toContain(service);
    const { fileDescriptorResponse } = await ask({ fileContainingSymbol: service });
    const files = fileDescriptorResponse!.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    // each file with all that it imports: a client can build them
    const known = new Set(files.map(({ name }) => name));
    expect(files.flatMap(({ dependency }) => dependency).filter((name) => !known.has(name))).toEqual([]);
    // imports come last in an answer, and first where files are built
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files.toReversed() }));
    expect(registry.getService(service)!.methods.length).toBeGreaterThan(0);
  }
  const { fileDescriptorResponse } = await ask({ fileByFilename: "ccpark/v1/environment.proto" });
  const own = fromBinary(FileDescriptorProtoSchema, fileDescriptorResponse!.fileDescriptorProto[0]!);
  expect(own.dependency).toContain("google/protobuf/struct.proto");
  const request = own.messageType.find(({ name }) => name === "CreateSessionRequest")!;
  expect(request.field.find(({ name }) => name === "kwargs")!.typeName).toBe(".google.protobuf.Struct");
  const { errorResponse } = await ask({ fileContainingSymbol: "ccpark.v1.No" });
  expect(errorResponse).toMatchObject({ errorCode: status.NOT_FOUND });
  call.end();
  client.close();
  await server.close();
});

it("reflection answers with the descriptors that the .proto files have now", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-descriptors-"));
  const file = join(folder, "descriptors.binpb");
  const script = fileURLToPath(new URL("../../../envs/grpc/describe-protos.mjs", import.meta.url));
  const { status: code, stderr } = spawnSync(process.execPath, [script, file], { encoding: "utf8" });
  if (code !== 0) context.skip(`buf build ended with ${code}: ${stderr}`);
  const kept = fileURLToPath(new URL("../../../proto/descriptors.binpb", import.meta.url));
  expect(readFileSync(file).equals(readFileSync(kept)), "run `npm run proto`").toBe(true);
  rmSync(folder, { recursive: true });
});

it("a server without .proto files runs without reflection, and says so", async () => {
  const said: string[] = [];
  const say = (_facts: object, message: string): number => said.push(message);
  const log: ServerLog = { debug: () => undefined, info: () => undefined, warn: say, error: say };
  const server = await startServer({ port: 0, envHost: toyHost(), protoFolder: "/nowhere", log });
  expect(said).toEqual([expect.stringMatching(/^no server reflection: /)]);
  const client = new RawClient(server.port);
  const info = await client.unary((done) => client.stub.getServerInfo({}, done));
  expect((info as { features: string[] }).features).not.toContain("reflection");
  client.close();
  await server.close();
});

it("health is SERVING, and NOT_SERVING while the last step runs", async () => {
  const server = await startServer({
    port: 0,
    envHost: toyHost({ workers: 1 }),
    limits: { shutdownGraceMs: 100 },
  });
  const client = new RawClient(server.port);
  const session = await client.create({ kwargs: { scenario: "toy-long", costUs: 1e4, sleepMs: 300 } });
  const stream = await client.attached(session);
  stream.write(resetPayload(1));
  await stream.read();
  const Health = makeClientConstructor(healthService as never, "Health");
  const probe = new Health(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const watches = ["", ...SERVICES.slice(0, 2)].map((service) => {
    const seen: string[] = [];
    const call = (
      probe as unknown as { watch(request: object): ClientReadableStream<{ status: string }> }
    ).watch({ service });
    call.on("data", ({ status }) => seen.push(status)).on("error", () => undefined);
    const first = new Promise((resolve) => call.once("data", resolve));
    return { seen, first };
  });
  await Promise.all(watches.map(({ first }) => first));
  stream.write(stepPayload(2, [0, 0]));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = server.close();
  expect(await stream.read()).toMatchObject({ seq: 2n, payload: { $case: "step" } });
  await closed;
  for (const { seen } of watches) expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
  probe.close();
  client.close();
});
