/** A host whose sessions all live on the calling thread. */
import { unknownName } from "../../core/errors.ts";
import type { EnvHost } from "./env-host.ts";
import { EnvSession } from "./session.ts";
import type { MakeEnv } from "./session-env.ts";
import { checkInfoKeys } from "./wire.ts";

/** @param makers by environment id */
export function localHost(makers: ReadonlyMap<string, MakeEnv>): EnvHost {
  const find = (envId: string): MakeEnv => {
    const make = makers.get(envId);
    if (make === undefined) throw unknownName("grpc", "env id", envId, [...makers.keys()]);
    return make;
  };
  const infoOf = (envId: string) => ({
    envId,
    description: "",
    severalFlows: false,
    kwargsJsonSchema: "{}",
    scenarioJsonSchema: "{}",
  });
  return {
    listEnvs: () => [...makers.keys()].map(infoOf),
    describeEnv(envId) {
      find(envId);
      return {
        env: infoOf(envId),
        observations: [],
        actions: [],
        rewards: [],
        scenarios: [],
        infoKeys: [],
        stateSpace: undefined,
      };
    },
    async open(config) {
      checkInfoKeys(config.infoKeys);
      return new EnvSession(config, find(config.envId));
    },
    async close() {},
  };
}
