/** Health and reflection, asked as tools ask. */
import { fileURLToPath } from "node:url";
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  makeClientConstructor,
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
    expect(fileDescriptorResponse!.fileDescriptorProto.length).toBeGreaterThan(0);
  }
  call.end();
  client.close();
  await server.close();
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
