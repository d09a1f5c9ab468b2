"""PPO of Stable-Baselines3 on the congestion-control environment. It starts its own environment server.

    python examples/sb3_ppo.py                 # 100,000 steps, a minute
    python examples/sb3_ppo.py --steps 4096    # the short form
"""

import ccpark
import ccpark.sb3
import numpy as np
import torch
from beside_cubic import compare, make_parser
from stable_baselines3 import PPO


def main() -> None:
    options = make_parser(__doc__, "sb3", steps=100_000).parse_args()
    torch.set_num_threads(1)  # the networks are small: threads would only wait for each other

    env = ccpark.sb3.make_vec_env(
        32, seed=options.seed, scenario=options.scenario, duration_sec=10, reward=ccpark.sb3.REWARD
    )
    model = PPO("MlpPolicy", env, seed=options.seed, **ccpark.sb3.PPO_OPTIONS)
    model.learn(options.steps)

    options.out.mkdir(parents=True, exist_ok=True)
    policy = options.out / f"sb3-ppo-seed{options.seed}.onnx"
    error = ccpark.export_onnx(model, policy)
    env.close()
    print(f"{policy}: the exported graph differs from the model by at most {error:.1e} of the action box")
    compare(
        lambda observation: model.predict(observation, deterministic=True)[0], policy, options.scenario, options.seeds
    )


if __name__ == "__main__":
    main()
