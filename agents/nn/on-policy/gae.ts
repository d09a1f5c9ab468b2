/** Generalised advantage estimation. */

/** One batch in the order of time: row t * numEnvs + env. */
export interface GaeInput {
  readonly numEnvs: number;
  /** [steps x numEnvs] */
  readonly rewards: ArrayLike<number>;
  /** V of the observation that the step started from, [steps x numEnvs] */
  readonly values: ArrayLike<number>;
  /** V of the observation that the step led to: the last one of its episode, never the first of the next; same shape */
  readonly nextValues: ArrayLike<number>;
  /** 0 or 1, [steps x numEnvs] */
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  readonly gamma: number;
  readonly lambda: number;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, equation 16):
 *
 *   delta_t = r_t + gamma V(s_t+1) - V(s_t),   A_t = delta_t + gamma lambda A_t+1
 *
 * V(s_t+1) is 0 where the task ended (terminated); where only time ran out (truncated) it counts, but A_t+1, which
 * belongs to another episode, does not.
 * @returns advantages and value targets A + V, float32 [steps x numEnvs]
 */
export function computeGae(input: GaeInput): { advantages: Float32Array; targets: Float32Array } {
  const { numEnvs, rewards, values, nextValues, terminated, truncated, gamma, lambda } = input;
  const advantages = new Float32Array(values.length);
  const targets = new Float32Array(values.length);
  for (let env = 0; env < numEnvs; env++) {
    let advantage = 0;
    for (let i = values.length - numEnvs + env; i >= 0; i -= numEnvs) {
      const nextValue = terminated[i] ? 0 : nextValues[i]!;
      const delta = rewards[i]! + gamma * nextValue - values[i]!;
      advantage = delta + (terminated[i] || truncated[i] ? 0 : gamma * lambda * advantage);
      advantages[i] = advantage;
      targets[i] = advantage + values[i]!;
    }
  }
  return { advantages, targets };
}
