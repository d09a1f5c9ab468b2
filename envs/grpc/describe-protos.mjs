// `node envs/grpc/describe-protos.mjs [FILE]`: the descriptors that server reflection answers with, as protoc makes them, of our
// services and of those that come with libraries, each with all files that it imports. Part of `npm run proto`.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const root = fileURLToPath(new URL("../..", import.meta.url));
const modules = (path) => join(root, "node_modules", path);

/** Folders that imports are relative to, and what their files are called where they are published. */
const SOURCES = [
  { folder: root, published: (name) => name },
  { folder: modules("grpc-health-check/proto"), published: (name) => `grpc/${name}` },
  { folder: modules("@grpc/reflection/build/proto"), part: "grpc", published: (name) => name },
];

const files = new Map();
for (const { folder, part, published } of SOURCES) {
  const args = ["build", folder, "--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=binpb"];
  if (part !== undefined) args.push("--path", join(folder, part));
  const bytes = execFileSync(modules(".bin/buf"), args, { maxBuffer: 2 ** 26 });
  for (const file of fromBinary(FileDescriptorSetSchema, bytes).file) {
    const name = file.name.startsWith("google/") ? file.name : published(file.name);
    files.set(name, { ...file, name });
  }
}
const set = create(FileDescriptorSetSchema, { file: [...files.values()] });
writeFileSync(
  process.argv[2] ?? join(root, "proto/descriptors.binpb"),
  toBinary(FileDescriptorSetSchema, set),
);
