"""Many environments for Stable-Baselines3, in one message per step. Needs `pip install stable-baselines3`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from typing_extensions import Unpack

from ccpark.errors import needs_library
from ccpark.options import Options
from ccpark.vector import Actions, CongestionControlVectorEnv

with needs_library("ccpark.sb3", "'./python[sb3]'"):
    from stable_baselines3.common.vec_env import VecEnv

Indices = int | Iterable[int] | None

# Near 0 where a link of 48 Mbit/s is full and its queue short: learners that do not scale rewards and values, as those
# of Stable-Baselines3, lose most of their time to the mean of a reward that is far from 0.
REWARD = "0.2 * (log2(throughputMbps) - 5.5) - 0.007 * queueDelayMs"

# For `PPO("MlpPolicy", envs, **PPO_OPTIONS)` with 32 environments
PPO_OPTIONS: dict[str, Any] = {
    "n_steps": 64,
    "batch_size": 512,
    "n_epochs": 5,
    "learning_rate": lambda left: 1e-3 * left,
    "gamma": 0.95,  # a step is a round trip, and what an action does shows within a few
    "target_kl": 0.03,
    "policy_kwargs": {"log_std_init": -3.0},  # noise of e^-3 changes the window by 4 % per step; 1 fills the queue
    "device": "cpu",
}


class CcparkVecEnv(VecEnv):  # type: ignore[misc]
    """A `CongestionControlVectorEnv` of mode SAME_STEP behind the interface of Stable-Baselines3.

    A row that ended has `terminal_observation`, `TimeLimit.truncated`, `episode` (as `Monitor` gives it) and
    `cc_episode` in its info. `options` of `set_options` and seeds of `seed` are for the next reset.
    """

    def __init__(self, env: CongestionControlVectorEnv) -> None:
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ValueError(f"autoreset_mode: got {env.autoreset_mode.value!r}, expected 'SameStep'")
        self.env = env
        self._began = time.monotonic()
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> npt.NDArray[np.float32]:
        """Resets all environments; their infos are in `reset_infos`."""
        seeds = None if any(seed is None for seed in self._seeds) else list(self._seeds)
        options = self._options[0]
        if any(other != options for other in self._options):
            raise ValueError("options: got different ones, expected the same for all environments")
        observations, infos = self.env.reset(seed=seeds, options=options)
        self.reset_infos = [self._row_of(infos, row) for row in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: Actions) -> None:
        """Sends the actions; the environments run while the caller goes on."""
        self.env.send(actions)

    def step_wait(
        self,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """The result of the step that was sent."""
        observations, rewards, terminated, truncated, infos = self.env.recv()
        done = terminated | truncated
        final = infos.pop("final_info", {})
        final_obs = infos.pop("final_obs", None)
        if infos.keys() - {"_final_info", "_final_obs"}:
            rows = [self._row_of(infos, row) for row in range(self.num_envs)]
        else:
            rows = [{} for _ in range(self.num_envs)]
        for row in map(int, np.flatnonzero(done)):
            info = self._row_of(final, row)
            episode = info["cc_episode"]
            info["terminal_observation"] = final_obs[row]
            info["TimeLimit.truncated"] = bool(truncated[row] and not terminated[row])
            info["episode"] = {
                "r": round(float(episode["episode_return"]), 6),
                "l": int(episode["length"]),
                "t": round(time.monotonic() - self._began, 6),
            }
            rows[row] = info
        return observations, rewards.astype(np.float32), done, rows

    def _row_of(self, infos: dict[str, Any], row: int) -> dict[str, Any]:
        """One environment's share of the infos of a vector."""
        mine: dict[str, Any] = {}
        for key, values in infos.items():
            if key.startswith("_") or not infos[f"_{key}"][row]:
                continue
            mine[key] = self._row_of(values, row) if isinstance(values, dict) else values[row]
        return mine

    def close(self) -> None:
        """Frees the session; may be called twice."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """The attribute of the vector environment, once per index; of its single spaces where it is about one."""
        single = {"observation_space": "single_observation_space", "action_space": "single_action_space"}
        value = getattr(self.env, single.get(attr_name, attr_name))
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refused: the environments live in a server."""
        raise AttributeError(f"cannot set {attr_name}: options are given when the environments are made")

    def env_method(self, method_name: str, *args: Any, indices: Indices = None, **kwargs: Any) -> list[Any]:
        """Only "render" is there."""
        if method_name != "render":
            raise AttributeError(f"no method {method_name} of single environments")
        pictures = self.env.render()
        return [None if pictures is None else pictures[index] for index in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Indices = None) -> list[bool]:
        """True for `Monitor`, whose work is done here."""
        from stable_baselines3.common.monitor import Monitor

        return [wrapper_class is Monitor for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[npt.NDArray[np.uint8] | None]:
        """The pictures of all environments."""
        return self.env_method("render")


def make_vec_env(num_envs: int = 16, seed: int | None = None, **options: Unpack[Options]) -> CcparkVecEnv:
    """Environments for a learner of Stable-Baselines3.

    Args:
        num_envs: how many; 16 keep one core of simulation busy with a small network.
        seed: environment i gets seed + i at the first reset.
        **options: as for `CongestionControlVectorEnv`.
    """
    env = CcparkVecEnv(CongestionControlVectorEnv(num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **options))
    if seed is not None:
        env.seed(seed)
    return env
