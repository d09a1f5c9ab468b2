// The floors of docs/architecture.md as a check: each folder may import itself and those named in its row.
const floors = {
  core: [],
  proto: [],
  traces: ["core"],
  flows: ["core"],
  scenarios: ["core", "traces"],
  "ccp-bridge": ["core"],
  algorithms: ["core", "flows", "scenarios", "ccp-bridge"],
  engine: ["core", "ccp-bridge", "scenarios"],
  sim: ["core", "ccp-bridge", "scenarios", "engine"],
  testbeds: [
    "core",
    "flows",
    "ccp-bridge",
    "traces",
    "scenarios",
    "algorithms",
    "engine",
    "sim",
    "transport",
  ],
  transport: ["core", "ccp-bridge", "scenarios", "algorithms", "sim", "testbeds"],
  envs: ["core", "flows", "ccp-bridge", "traces", "scenarios", "algorithms", "testbeds", "proto"],
  agents: ["core", "ccp-bridge", "envs"],
  training: ["core", "ccp-bridge", "scenarios", "algorithms", "testbeds", "envs", "agents", "traces"],
  eval: [
    "core",
    "ccp-bridge",
    "scenarios",
    "algorithms",
    "engine",
    "sim",
    "testbeds",
    "transport",
    "envs",
    "agents",
    "traces",
    "training",
  ],
  cli: [
    "core",
    "flows",
    "ccp-bridge",
    "scenarios",
    "algorithms",
    "testbeds",
    "transport",
    "envs",
    "agents",
    "traces",
    "training",
    "eval",
    "proto",
  ],
};
const folders = [...Object.keys(floors), "test"];

const floorRules = Object.entries(floors).map(([floor, below]) => ({
  name: `floor-${floor}`,
  comment: `${floor}/ may import only: ${[...below, floor].join(", ")}`,
  severity: "error",
  from: { path: `^${floor}/` },
  to: { path: `^(${folders.filter((other) => other !== floor && !below.includes(other)).join("|")})/` },
}));

/** One owner each: the package may be imported only below the given paths. */
const owner = (name, packages, paths) => ({
  name,
  severity: "error",
  from: { path: `^(${Object.keys(floors).join("|")})/`, pathNot: paths },
  to: { path: packages },
});

module.exports = {
  forbidden: [
    ...floorRules,
    {
      name: "env-does-not-know-grpc",
      severity: "error",
      from: { path: "^envs/(?!grpc/)" },
      to: { path: "^envs/grpc/" },
    },
    {
      name: "stacks-do-not-know-worlds",
      comment: "testbeds run stacks; only what opens them in worlds of its own stands above testbeds",
      severity: "error",
      from: { path: "^transport/(?!worlds/|shell/|index)" },
      to: { path: "^(testbeds|sim)/" },
    },
    {
      name: "testbeds-know-stacks-only",
      severity: "error",
      from: { path: "^testbeds/" },
      to: { path: "^transport/(shell|live|negotiate|index)" },
    },
    {
      name: "core-does-no-io",
      comment: "the simulator, the language, the datapath, algorithms and learners are sans-I/O",
      severity: "error",
      from: {
        path: "^(core|flows|scenarios|ccp-bridge|algorithms|engine|sim|testbeds|transport|envs|agents)/",
        pathNot:
          "^(envs/grpc|envs/foreign-agent|testbeds/(udp|real-time|host|emulated|mahimahi|linux|sites)|transport/shell|ccp-bridge/ipc)/|^engine/wasm/compile|^core/v8-inlining|/[a-z-]*(files|wasm-loader|worker-threads?)\\.(ts|mjs)$",
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    owner("tfjs-only-in-agents-tfjs", "node_modules/@tensorflow", "^agents/"),
    owner("grpc-only-in-envs-grpc", "node_modules/@grpc", "^envs/grpc/"),
    owner(
      "protobuf-only-where-it-is-spoken",
      "node_modules/@bufbuild",
      "^(envs/grpc|eval/onnx|training/tensorboard)/",
    ),
    owner("onnx-only-in-eval-onnx", "node_modules/onnxruntime", "^eval/onnx/"),
    owner("ffi-only-at-the-system", "node_modules/(koffi|@koromix)", "^(ccp-bridge/ipc|testbeds/host)/"),
    owner("cryptography-only-in-transport", "node_modules/(@noble|fflate)", "^transport/"),
    owner("charts-only-in-eval", "node_modules/vega", "^eval/"),
    owner("progress-only-in-cli", "node_modules/(cli-progress|commander)", "^cli/"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^dist/|generated/|^engine/wasm/|^agents/fused/wasm/" },
  },
};
