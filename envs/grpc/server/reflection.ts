/**
 * Server reflection (grpc.reflection.v1 and v1alpha): the descriptors of every service as protoc makes them, with the files
 * that they import, from `proto/descriptors.binpb`. A client builds the services from them alone.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  createFileRegistry,
  type DescFile,
  type FileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Server, type ServerDuplexStream, type ServiceDefinition, status } from "@grpc/grpc-js";

/** As decoded by proto-loader with names as in the files. */
interface ReflectionRequest {
  readonly host: string;
  readonly message_request?: string;
  readonly file_by_filename?: string;
  readonly file_containing_symbol?: string;
  readonly file_containing_extension?: {
    readonly containing_type: string;
    readonly extension_number: number;
  };
  readonly all_extension_numbers_of_type?: string;
  readonly list_services?: string;
}

type Answer = Readonly<Record<string, unknown>>;

const VERSIONS = ["v1", "v1alpha"] as const;

class NotFound extends Error {}

class Descriptors {
  readonly #registry: FileRegistry;
  readonly #services: readonly string[];

  /** @param services full names; those that are listed */
  constructor(set: Uint8Array, services: readonly string[]) {
    this.#registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
    this.#services = services;
  }

  answer(request: ReflectionRequest): Answer {
    try {
      return this.#result(request);
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      return { error_response: { error_code: status.NOT_FOUND, error_message: error.message } };
    }
  }

  #result(request: ReflectionRequest): Answer {
    switch (request.message_request) {
      case "list_services":
        return { list_services_response: { service: this.#services.map((name) => ({ name })) } };
      case "file_by_filename":
        return this.#withImports(this.#file(request.file_by_filename!));
      case "file_containing_symbol":
        return this.#withImports(this.#declaring(request.file_containing_symbol!));
      case "file_containing_extension": {
        const { containing_type: type, extension_number: number } = request.file_containing_extension!;
        const extension = this.#extensionsOf(type).find((each) => each.number === number);
        if (extension === undefined) throw new NotFound(`no extension ${number} of \`${type}\``);
        return this.#withImports(extension.file);
      }
      case "all_extension_numbers_of_type": {
        const type = request.all_extension_numbers_of_type!;
        const numbers = this.#extensionsOf(type).map(({ number }) => number);
        return {
          all_extension_numbers_response: { base_type_name: type, extension_number: numbers },
        };
      }
      default: {
        const message = "a request that this server does not know";
        return { error_response: { error_code: status.UNIMPLEMENTED, error_message: message } };
      }
    }
  }

  #file(name: string): DescFile {
    const file = this.#registry.getFile(name);
    if (file === undefined) throw new NotFound(`no file \`${name}\``);
    return file;
  }

  /** Of a message, enum, service or extension, or of what one of them holds: a method, a field, a value. */
  #declaring(symbol: string): DescFile {
    const found = this.#registry.get(symbol) ?? this.#registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
    if (found === undefined) throw new NotFound(`no symbol \`${symbol}\``);
    return found.file;
  }

  #extensionsOf(type: string): { readonly number: number; readonly file: DescFile }[] {
    if (this.#registry.getMessage(type) === undefined) throw new NotFound(`no message \`${type}\``);
    return [...this.#registry].flatMap((each) =>
      each.kind === "extension" && each.extendee.typeName === type
        ? [{ number: each.number, file: each.file }]
        : [],
    );
  }

  /** The file first, then all that it imports, each once and before what it imports itself. */
  #withImports(file: DescFile): Answer {
    const seen = new Set<DescFile>();
    const importedFirst: DescFile[] = [];
    const visit = (each: DescFile): void => {
      if (seen.has(each)) return;
      seen.add(each);
      for (const imported of each.dependencies) visit(imported);
      importedFirst.push(each);
    };
    visit(file);
    const bytes = importedFirst
      .reverse()
      .map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
    return { file_descriptor_response: { file_descriptor_proto: bytes } };
  }
}

/** Adds the service of both versions. @param descriptorFile a FileDescriptorSet; @param services full names of the others */
export async function addReflectionService(
  server: Server,
  descriptorFile: string,
  services: readonly string[],
): Promise<void> {
  const { loadSync } = await import("@grpc/proto-loader");
  const own = VERSIONS.map((version) => `grpc.reflection.${version}.ServerReflection`);
  const descriptors = new Descriptors(readFileSync(descriptorFile), [...services, ...own]);
  const library = createRequire(import.meta.url).resolve("@grpc/reflection/package.json");
  VERSIONS.forEach((version, i) => {
    const path = library.replace(/package\.json$/, `build/proto/grpc/reflection/${version}/reflection.proto`);
    const loaded = loadSync(path, { keepCase: true, oneofs: true });
    server.addService(loaded[own[i]!] as ServiceDefinition, {
      ServerReflectionInfo(stream: ServerDuplexStream<ReflectionRequest, Answer>) {
        stream.on("data", (request: ReflectionRequest) => {
          stream.write({
            valid_host: request.host,
            original_request: request,
            ...descriptors.answer(request),
          });
        });
        stream.on("end", () => stream.end());
      },
    });
  });
}
