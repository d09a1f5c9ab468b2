/**
 * `npm run bench:env [-- --json]`: environment steps per second on one core in the vector form: 48 Mbit/s, 50 ms link,
 * 10 ms steps, a fixed policy that keeps the link full. Utilisation and packets per step are printed, since an idle link
 * would be fast too.
 */
import { makeVectorEnv } from "../../envs/local-vector-env.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { UNLIMITED } from "../../envs/scenarios/links.ts";
import { getScenario } from "../../envs/scenarios/presets.ts";
import { medianSeconds, printRow } from "./console.ts";

const NUM_ENVS = 8;
/** one whole 30 s episode each */
const STEPS = 3_000 * NUM_ENVS;
const REPEATS = 5;
/** One BDP (200 packets) and a small queue. */
const CWND_PACKETS = 220;

/** the simulator's default ACK path */
const scenario = { ...getScenario("park-paper"), reverse: UNLIMITED };
for (const observation of ["standard", "park-14"]) {
  const envs = makeVectorEnv(
    scenario,
    { ...DEFAULT_ENV_OPTIONS, action: "absolute", observation, stepMs: 10 },
    NUM_ENVS,
  );
  const actions = new Float32Array(NUM_ENVS * envs.actionSpace.shape[0]);
  for (let i = 0; i < NUM_ENVS; i++) actions[2 * i] = CWND_PACKETS;
  let utilisation = 0;
  let goodputMbps = 0;
  let episodes = 0;
  const seconds = medianSeconds(REPEATS, () => {
    envs.reset(1);
    for (let step = 0; step < STEPS / NUM_ENVS; step++) {
      envs.step(actions);
      for (const episode of envs.endedEpisodes) {
        utilisation += episode.utilisation;
        goodputMbps += episode.goodputMbps;
        episodes++;
      }
    }
  });
  printRow({
    envs: NUM_ENVS,
    observation,
    steps: STEPS,
    stepMs: 10,
    seconds,
    stepsPerSec: Math.round(STEPS / seconds),
    utilisation: episodes === 0 ? Number.NaN : utilisation / episodes,
    packetsPerStep: episodes === 0 ? Number.NaN : ((goodputMbps / episodes) * 125_000 * 0.01) / 1448,
  });
}
