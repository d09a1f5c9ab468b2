// The layering rule of docs/architecture.md as a check: who may import whom.
/** Paths that a layer may import, besides itself. */
const layers = {
  core: [],
  proto: [],
  traces: ["core"],
  "ccp-bridge": ["core"],
  envs: ["core", "ccp-bridge", "traces", "proto"],
  agents: ["core", "ccp-bridge", "envs"],
  training: ["core", "ccp-bridge", "envs", "agents", "traces"],
  eval: ["core", "ccp-bridge", "envs", "agents", "traces"],
  cli: ["core", "ccp-bridge", "envs", "agents", "traces", "training", "eval", "proto"],
};
const all = [...Object.keys(layers), "test"];

const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  comment: `${layer}/ may import only: ${[...allowed, layer].join(", ")}`,
  severity: "error",
  from: { path: `^${layer}/` },
  to: { path: `^(${all.filter((other) => other !== layer && !allowed.includes(other)).join("|")})/` },
}));

/** One owner each: the package may be imported only below the given paths. */
const owner = (name, packages, paths) => ({
  name,
  severity: "error",
  from: { path: "^(core|ccp-bridge|envs|agents|training|eval|cli|traces)/", pathNot: paths },
  to: { path: packages },
});

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: "algorithms-know-only-the-interface",
      comment:
        "agents/ meets ccp-bridge only at its algorithm interface and envs only at Env; never the simulator or gRPC",
      severity: "error",
      from: { path: "^agents/" },
      to: {
        path: "^(envs/(sim|grpc|links)/|ccp-bridge/(native|ipc|wire|lang)/|ccp-bridge/(datapath|agent)\\.ts)",
      },
    },
    {
      name: "sim-is-the-bottom-of-envs",
      severity: "error",
      from: { path: "^envs/sim/" },
      to: { path: "^envs/(?!sim/)" },
    },
    {
      name: "env-does-not-know-grpc",
      severity: "error",
      from: { path: "^envs/(?!grpc/)" },
      to: { path: "^envs/grpc/" },
    },
    {
      name: "core-does-no-io",
      comment: "the simulator, the language, the datapath, algorithms and learners are sans-I/O",
      severity: "error",
      from: {
        path: "^(core|ccp-bridge|envs|agents)/",
        pathNot:
          "^(envs/grpc|envs/links|ccp-bridge/ipc)/|^envs/sim/kernel/build|^core/v8-inlining|/[a-z-]*(files|wasm-loader)\\.ts$",
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    owner("tfjs-only-in-agents", "node_modules/@tensorflow", "^agents/"),
    owner("grpc-only-in-envs-grpc", "node_modules/@grpc", "^envs/grpc/"),
    owner("protobuf-only-where-it-is-spoken", "node_modules/@bufbuild", "^(envs/grpc|eval/onnx)/"),
    owner("onnx-only-in-eval-onnx", "node_modules/onnxruntime", "^eval/onnx/"),
    owner("ffi-only-in-ipc", "node_modules/(koffi|@koromix)", "^ccp-bridge/ipc/"),
    owner("charts-only-in-eval", "node_modules/vega", "^eval/"),
    owner("progress-only-in-cli", "node_modules/(cli-progress|commander)", "^cli/"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^dist/|generated/" },
  },
};
