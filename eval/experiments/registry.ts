/** The experiments that there are, loaded when they run or are listed. `ccpark experiment`, its tests and its page read this table. */
import { CcparkError, unknownName } from "../../core/errors.ts";
import type { Experiment } from "./experiment.ts";

type Load = () => Promise<Experiment>;

/** Order: as `ccpark experiment` lists them. */
const TABLE: Readonly<Record<string, Load>> = {
  incast: async () => (await import("./ccp-thesis/incast.ts")).incast,
  aggregation: async () => (await import("./ccp-thesis/aggregation.ts")).aggregation,
  fidelity: async () => (await import("./ccp-thesis/fidelity.ts")).fidelity,
  "completion-times": async () => (await import("./ccp-thesis/completion-times.ts")).completionTimes,
  "slow-start": async () => (await import("./ccp-thesis/slow-start.ts")).slowStart,
  "bbr-pulses": async () => (await import("./ccp-thesis/bbr-pulses.ts")).bbrPulses,
  "copa-compression": async () => (await import("./ccp-thesis/copa-compression.ts")).copaCompression,
  datapaths: async () => (await import("./ccp-thesis/datapaths.ts")).datapaths,
  "kernel-overhead": async () => (await import("./linux/overhead.ts")).kernelOverhead,
  "kernel-staleness": async () => (await import("./linux/staleness.ts")).kernelStaleness,
  "kernel-scalability": async () => (await import("./linux/scalability.ts")).kernelScalability,
  park: async () => (await import("./learned/park.ts")).park,
  learners: async () => (await import("./learned/learners.ts")).learners,
  published: async () => (await import("./learned/published.ts")).published,
  response: async () => (await import("./laws/response.ts")).response,
  fairness: async () => (await import("./laws/fairness.ts")).fairness,
  "dtl-fairness": async () => (await import("./dtl/less-than-best-effort.ts")).dtlFairness,
  "dtl-ten": async () => (await import("./dtl/less-than-best-effort.ts")).dtlTen,
  "dtl-yield": async () => (await import("./dtl/less-than-best-effort.ts")).dtlYield,
  "dtl-reno": async () => (await import("./dtl/weights.ts")).dtlReno,
  "dtl-live": async () => (await import("./dtl/weights.ts")).dtlLive,
  "dtl-five": async () => (await import("./dtl/weights.ts")).dtlFive,
  "dtl-weights": async () => (await import("./dtl/weights.ts")).dtlWeights,
  "p2-retries": async () => (await import("./p2/retries.ts")).p2Retries,
  "p2-windows": async () => (await import("./p2/windows.ts")).p2Windows,
  "p2-late-choice": async () => (await import("./p2/late-choice.ts")).p2LateChoice,
  "bertha-establishment": async () => (await import("./bertha/establishment.ts")).berthaEstablishment,
  "bertha-overhead": async () => (await import("./bertha/overhead.ts")).berthaOverhead,
  "bertha-sharding": async () => (await import("./bertha/sharding.ts")).berthaSharding,
  "bertha-maybe-local": async () => (await import("./bertha/maybe-local.ts")).berthaMaybeLocal,
  "transport-beside-tcp": async () => (await import("./linux/beside-tcp.ts")).transportBesideTcp,
  "bundle-queue": async () => (await import("./bundles/queue.ts")).bundleQueue,
  "bundle-estimates": async () => (await import("./bundles/estimates.ts")).bundleEstimates,
  "bundle-competition": async () => (await import("./bundles/competition.ts")).bundleCompetition,
  "bundle-slowdown": async () => (await import("./bundles/slowdown.ts")).bundleSlowdown,
  "flows-mobility": async () => (await import("./flows/mobility.ts")).flowsMobility,
  "flows-standby": async () => (await import("./flows/standby.ts")).flowsStandby,
  "flows-slow-branch": async () => (await import("./flows/flows-of-flows.ts")).flowsSlowBranch,
  "flows-layered": async () => (await import("./flows/flows-of-flows.ts")).flowsLayered,
  "flows-overflow-feedback": async () => (await import("./flows/overflow.ts")).flowsOverflow,
  "relay-chain": async () => (await import("./overlays/relay-chain.ts")).relayChain,
  "multipath-4": async () => (await import("./overlays/multipath.ts")).multipath,
  "ron-outage-3": async () => (await import("./overlays/ron-outage.ts")).ronOutage,
  "ron-mesh-13": async () => (await import("./overlays/ron-mesh.ts")).ronMesh,
  "ron-everyone-20": async () => (await import("./overlays/ron-everyone.ts")).ronEveryone,
  "esm-stress": async () => (await import("./overlays/esm-stress.ts")).esmStress,
  "esm-adapt-noise": async () => (await import("./overlays/esm-adapt.ts")).esmAdapt,
  "esm-dsl-4": async () => (await import("./overlays/esm-dsl.ts")).esmDsl,
  "overcast-60": async () => (await import("./overlays/overcast.ts")).overcast,
  "anycast-4x20": async () => (await import("./overlays/anycast.ts")).anycast,
  "kofn-fetch": async () => (await import("./overlays/kofn.ts")).kofn,
  "dht-rpc": async () => (await import("./overlays/dht-rpc.ts")).dhtRpc,
  "campus-100": async () => (await import("./overlays/campus.ts")).campus,
};

export const EXPERIMENT_NAMES: readonly string[] = Object.keys(TABLE);

/** @throws CcparkError (not-found) */
export async function loadExperiment(name: string): Promise<Experiment> {
  if (!Object.hasOwn(TABLE, name)) throw unknownName("experiment", "experiment", name, EXPERIMENT_NAMES);
  const experiment = await TABLE[name]!();
  if (experiment.name !== name) {
    throw new CcparkError("internal", `[experiment] \`${name}\` calls itself \`${experiment.name}\``);
  }
  return experiment;
}
