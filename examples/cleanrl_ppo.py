"""PPO in one file in the style of CleanRL. It starts its own environment server.

PyTorch, a vector of environments, and nothing hidden; network, normalisation and hyperparameters are those of
``ccpark train``.

    python examples/cleanrl_ppo.py                 # 200,000 steps
    python examples/cleanrl_ppo.py --steps 4096    # the short form
"""

import ccpark
import numpy as np
import torch
from beside_cubic import compare, make_parser
from gymnasium.vector import AutoresetMode
from torch import nn
from torch.distributions import Normal

NUM_ENVS = 32
ROLLOUT = 64  # steps per environment between two updates
EPOCHS = 5
MINIBATCH = 512
LEARNING_RATE = 1e-3  # falls linearly to 0
GAMMA = 0.95  # a step is a round trip, and what an action does shows within a few
GAE_LAMBDA = 0.95
CLIP = 0.2
VALUE_COEFFICIENT = 0.5
ENTROPY_COEFFICIENT = -0.005  # exploring by a few percent of the window costs more than it finds
MAX_GRADIENT = 0.5
TARGET_KL = 0.03
INITIAL_LOG_STD = -2.0  # noise of e^-2 changes the window by 10 % per step
REWARD_CLIP = 10.0


def layer(inputs: int, outputs: int, gain: float) -> nn.Linear:
    linear = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(linear.weight, gain)
    nn.init.zeros_(linear.bias)
    return linear


def network(inputs: int, outputs: int, last_gain: float) -> nn.Sequential:
    return nn.Sequential(
        layer(inputs, 64, 2**0.5), nn.Tanh(), layer(64, 64, 2**0.5), nn.Tanh(), layer(64, outputs, last_gain)
    )


class RewardScale:
    """Standard deviation of the discounted returns so far."""

    def __init__(self) -> None:
        self.running = np.zeros(NUM_ENVS)
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def see(self, rewards: np.ndarray, done: np.ndarray) -> None:
        self.running = self.running * GAMMA + rewards
        for x in self.running:
            self.count += 1
            before = x - self.mean
            self.mean += before / self.count
            self.squares += before * (x - self.mean)
        self.running[done] = 0

    @property
    def std(self) -> float:
        return (self.squares / self.count + 1e-8) ** 0.5


def main() -> None:
    options = make_parser(__doc__, "cleanrl").parse_args()
    torch.set_num_threads(1)  # the networks are small: threads would only wait for each other
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)

    envs = ccpark.make_vec(NUM_ENVS, scenario=options.scenario, duration_sec=10, autoreset_mode=AutoresetMode.SAME_STEP)
    width, count = envs.single_observation_space.shape[0], envs.single_action_space.shape[0]
    actor, critic = network(width, count, 0.01), network(width, 1, 1.0)
    log_std = nn.Parameter(torch.full((count,), INITIAL_LOG_STD))
    parameters = [*actor.parameters(), log_std, *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, eps=1e-5)
    value_mean, value_std = 0.0, 1.0  # the critic learns targets of mean 0 and standard deviation 1 (PopArt)
    scale = RewardScale()

    observations = torch.zeros(ROLLOUT, NUM_ENVS, width)
    next_observations = torch.zeros(ROLLOUT, NUM_ENVS, width)
    actions = torch.zeros(ROLLOUT, NUM_ENVS, count)
    log_probs, rewards, terminated, done = (torch.zeros(ROLLOUT, NUM_ENVS) for _ in range(4))

    observation, _ = envs.reset(seed=options.seed)
    updates = -(-options.steps // (ROLLOUT * NUM_ENVS))
    for update in range(updates):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - update / updates)
        scores = []
        for t in range(ROLLOUT):
            observations[t] = torch.as_tensor(observation)
            with torch.no_grad():
                policy = Normal(actor(observations[t]), log_std.exp())
                actions[t] = policy.sample()
                log_probs[t] = policy.log_prob(actions[t]).sum(-1)
            # an action outside of the box is clipped by the environment
            observation, reward, ended, out_of_time, infos = envs.step(actions[t].numpy())
            over = ended | out_of_time
            led_to = observation.copy()
            for row in np.flatnonzero(over):
                led_to[row] = infos["final_obs"][row]
            if over.any():
                scores += list(infos["final_info"]["cc_episode"]["metrics"]["score"][over])
            next_observations[t] = torch.as_tensor(led_to)
            scale.see(reward, over)
            rewards[t], terminated[t], done[t] = (torch.as_tensor(x) for x in (reward, ended, over))

        with torch.no_grad():
            # an episode that ran out of time is worth what follows its last observation, one that ended is worth 0
            values = value_mean + value_std * critic(observations).squeeze(-1)
            next_values = (value_mean + value_std * critic(next_observations).squeeze(-1)) * (1 - terminated)
            scaled = (rewards / scale.std).clamp(-REWARD_CLIP, REWARD_CLIP)
            advantages = torch.zeros(ROLLOUT, NUM_ENVS)
            running = torch.zeros(NUM_ENVS)
            for t in reversed(range(ROLLOUT)):
                delta = scaled[t] + GAMMA * next_values[t] - values[t]
                running = advantages[t] = delta + GAMMA * GAE_LAMBDA * (1 - done[t]) * running
            targets = advantages + values
            kept = 0.0 if update == 0 else 0.9
            mean = kept * value_mean + (1 - kept) * targets.mean().item()
            std = max(1e-4, kept * value_std + (1 - kept) * targets.std().item())
            critic[-1].weight *= value_std / std
            if update > 0:
                critic[-1].bias.copy_((value_std * critic[-1].bias + value_mean - mean) / std)
            value_mean, value_std = mean, std

        flat = [x.flatten(0, 1) for x in (observations, actions, log_probs, advantages, (targets - mean) / std)]
        for _ in range(EPOCHS):
            for rows in torch.randperm(ROLLOUT * NUM_ENVS).split(MINIBATCH):
                seen, acted, old_log_prob, advantage, target = (x[rows] for x in flat)
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                policy = Normal(actor(seen), log_std.exp())
                log_ratio = policy.log_prob(acted).sum(-1) - old_log_prob
                ratio = log_ratio.exp()
                surrogate = torch.min(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
                value_loss = 0.5 * (critic(seen).squeeze(-1) - target).square().mean()
                entropy = policy.entropy().sum(-1).mean()
                loss = VALUE_COEFFICIENT * value_loss - surrogate - ENTROPY_COEFFICIENT * entropy
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT)
                optimizer.step()
            if (ratio - 1 - log_ratio).mean() > 1.5 * TARGET_KL:
                break
        if scores:
            steps = (update + 1) * ROLLOUT * NUM_ENVS
            std = log_std.exp().mean()
            print(f"{steps:9,} steps: mean score of {len(scores)} episodes {np.mean(scores):.3f}, std {std:.3f}")

    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"cleanrl-ppo-seed{options.seed}.onnx"
    error = ccpark.export_onnx(actor, path, env=envs, action_rule="clip")
    low, high = envs.single_action_space.low, envs.single_action_space.high
    envs.close()
    print(f"{path}: the exported graph differs from the model by at most {error:.1e} of the action box")

    @torch.no_grad()
    def act(observation: np.ndarray) -> np.ndarray:
        return np.clip(actor(torch.as_tensor(observation)).numpy(), low, high)

    compare(act, path, options.scenario, options.seeds)


if __name__ == "__main__":
    main()
