"""PPO of Stable-Baselines3 on the congestion-control environment. It starts its own environment server.

Network, normalisation and hyperparameters are those of ``ccpark train``, so that both can be compared.

    python examples/sb3_ppo.py                 # 200,000 steps, two minutes
    python examples/sb3_ppo.py --steps 4096    # the short form
"""

import ccpark
import ccpark.sb3
import numpy as np
import torch
from beside_cubic import compare, make_parser
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize
from torch import nn

GAMMA = 0.95  # a step is a round trip, and what an action does shows within a few
REWARD_CLIP = 10.0


class ScaledValue(nn.Module):
    """A value head that learns targets of mean 0 and standard deviation 1 (PopArt, arXiv:1602.07714)."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear
        self.mean, self.std = 0.0, 1.0

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.mean + self.std * self.linear(features)

    @torch.no_grad()
    def follow(self, targets: np.ndarray, kept: float) -> None:
        """Moves the scale towards these targets and corrects the layer so that its values stay what they were."""
        mean = kept * self.mean + (1 - kept) * float(targets.mean())
        std = max(1e-4, kept * self.std + (1 - kept) * float(targets.std()))
        self.linear.weight *= self.std / std
        if kept > 0:
            self.linear.bias.copy_((self.std * self.linear.bias + self.mean - mean) / std)
        self.mean, self.std = mean, std


class NormaliseValues(BaseCallback):
    """Between rollout and update: the value loss counts in units of the scale, as if the targets were normalised."""

    def _init_callback(self) -> None:
        # the optimiser goes on with the very parameters of the layer inside
        self.head = self.model.policy.value_net = ScaledValue(self.model.policy.value_net)
        self.coefficient = self.model.vf_coef
        self.kept = 0.0

    def _on_rollout_end(self) -> None:
        self.head.follow(self.model.rollout_buffer.returns, self.kept)
        self.kept = 0.9
        self.model.vf_coef = self.coefficient / self.head.std**2

    def _on_step(self) -> bool:
        return True


def main() -> None:
    options = make_parser(__doc__, "sb3").parse_args()
    torch.set_num_threads(1)  # the networks are small: threads would only wait for each other

    env = ccpark.sb3.make_vec_env(32, scenario=options.scenario, duration_sec=10)
    env = VecNormalize(env, norm_obs=False, norm_reward=True, clip_reward=REWARD_CLIP, gamma=GAMMA)
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=64,
        batch_size=512,
        n_epochs=5,
        learning_rate=lambda left: 1e-3 * left,
        gamma=GAMMA,
        gae_lambda=0.95,
        clip_range=0.2,
        ent_coef=-0.005,  # exploring by a few percent of the window costs more than it finds
        vf_coef=0.25,  # `ccpark train` has 0.5 of half the squared error
        max_grad_norm=0.5,
        target_kl=0.03,
        policy_kwargs={
            "net_arch": {"pi": [64, 64], "vf": [64, 64]},
            "activation_fn": nn.Tanh,
            "log_std_init": -2.0,  # noise of e^-2 changes the window by 10 % per step
        },
        seed=options.seed,
        device="cpu",
    )
    model.learn(options.steps, callback=NormaliseValues())

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
