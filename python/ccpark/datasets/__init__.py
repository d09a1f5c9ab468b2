"""Recorded runs of ``ccpark dataset``: as arrays, and in Minari's format.

A dataset is a folder of plain files: ``dataset.json``, ``observations.npy``, ``actions.npy`` and ``rewards.npy``. Of an
episode of n steps there are n + 1 observations, n actions and n rewards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ccpark.errors import needs_library
from ccpark.options import to_snake

__all__ = ["Dataset", "Episode", "load", "to_minari"]

FORMAT = "ccpark-dataset"
VERSION = 1
ENV_ID = "ccpark/CongestionControl-v0"


@dataclass(frozen=True)
class Episode:
    """One run of one contender.

    Attributes:
        facts: ``algorithm``, ``scenario``, ``link``, ``seed``, ``score`` and so on, as in ``dataset.json``
        observations: float32 [steps + 1, observation]; the last is what the last step led to
        actions: float32 [steps, action], or int64 [steps] of choices
        rewards: float64 [steps]
    """

    facts: Mapping[str, Any]
    observations: npt.NDArray[np.float32]
    actions: npt.NDArray[Any]
    rewards: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """A folder that ``ccpark dataset`` wrote.

    Attributes:
        command: the command line that gives these files
        env: options of the environment, as ``ccpark train`` has them
        observation_space, action_space: of Gymnasium
    """

    command: str
    env: Mapping[str, Any]
    observation_space: spaces.Box
    action_space: spaces.Box | spaces.Discrete
    episodes: tuple[Episode, ...]

    def __iter__(self) -> Iterator[Episode]:
        return iter(self.episodes)

    @property
    def steps(self) -> int:
        """Of all episodes."""
        return sum(len(episode.rewards) for episode in self.episodes)

    def env_spec(self) -> gymnasium.envs.registration.EnvSpec:
        """How Gymnasium makes the environment that the steps are of: its observation, action, reward and step length.

        With the scenario, where all episodes are of one.
        """
        names = {"observation", "action", "reward", "stepMs", "reportLossAtOnce", "actionDelayUs"}
        options = {to_snake(name): value for name, value in self.env.items() if name in names}
        scenarios = {episode.facts["scenario"] for episode in self.episodes}
        known = scenarios <= {name.removeprefix("ccpark/").removesuffix("-v0") for name in gymnasium.registry}
        if len(scenarios) == 1 and known:
            options["scenario"] = scenarios.pop()
        spec = gymnasium.spec(ENV_ID)
        return gymnasium.envs.registration.EnvSpec(
            id=spec.id,
            entry_point=spec.entry_point,
            vector_entry_point=spec.vector_entry_point,
            kwargs={**spec.kwargs, **options},
        )


def _box(space: Mapping[str, Any]) -> spaces.Box:
    low, high = (np.array([float(x) for x in space[key]], np.float32) for key in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)


def load(path: str | os.PathLike[str]) -> Dataset:
    """Reads a folder that ``ccpark dataset`` wrote.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is of another format or version, or its arrays do not fit.
    """
    folder = Path(path)
    header = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    got = (header.get("format"), header.get("version"))
    if got != (FORMAT, VERSION):
        raise ValueError(f"{folder}: got {got[0]} {got[1]}, expected {FORMAT} {VERSION}")
    arrays = {name: np.load(folder / f"{name}.npy") for name in ("observations", "actions", "rewards")}
    lengths = [entry["steps"] for entry in header["episodes"]]
    expected = {
        "observations": sum(lengths) + len(lengths),
        "actions": sum(lengths),
        "rewards": sum(lengths),
    }
    for name, rows in expected.items():
        if len(arrays[name]) != rows:
            raise ValueError(f"{folder / name}.npy: got {len(arrays[name])} rows, expected {rows}")
    action_space = header["actionSpace"]
    is_choice = "n" in action_space
    actions = arrays["actions"][:, 0].astype(np.int64) if is_choice else arrays["actions"]
    episodes = []
    at = 0
    for i, (entry, steps) in enumerate(zip(header["episodes"], lengths, strict=True)):
        episodes.append(
            Episode(
                facts=entry,
                observations=arrays["observations"][at + i : at + i + steps + 1],
                actions=actions[at : at + steps],
                rewards=arrays["rewards"][at : at + steps],
            )
        )
        at += steps
    return Dataset(
        command=header["command"],
        env=header["env"],
        observation_space=_box(header["observationSpace"]),
        action_space=spaces.Discrete(action_space["n"]) if is_choice else _box(action_space),
        episodes=tuple(episodes),
    )


def to_minari(path: str | os.PathLike[str], dataset_id: str, **about: Any) -> Any:
    """Makes a dataset of Minari from a folder that ``ccpark dataset`` wrote.

    Episodes end truncated: time runs out, the task never ends. Spaces and ``env_spec`` are those of the environment
    that the steps are of, so ``dataset.recover_environment()`` makes it.

    Args:
        path: the folder
        dataset_id: such as ``"ccpark/cubic-v0"``; Minari keeps it in its own folder (``MINARI_DATASETS_PATH``)
        **about: further arguments of ``minari.create_dataset_from_buffers``, such as ``author`` and ``description``

    Returns:
        The ``minari.MinariDataset``.

    Raises:
        ValueError: a folder that cannot be read, or a dataset of this id is there already.
        ModuleNotFoundError: Minari is missing; the message says what to install.
    """
    with needs_library("ccpark.datasets.to_minari", "'./python[minari]'"):
        import minari
        from minari.data_collector.episode_buffer import EpisodeBuffer

    data = load(path)
    buffers = []
    for i, episode in enumerate(data):
        steps = len(episode.rewards)
        ends = np.zeros(steps, bool)
        truncations = ends.copy()
        truncations[-1:] = True
        buffers.append(
            EpisodeBuffer(
                id=i,
                seed=int(episode.facts["seed"]),
                observations=list(episode.observations),
                actions=list(episode.actions),
                rewards=list(episode.rewards),
                terminations=list(ends),
                truncations=list(truncations),
            )
        )
    algorithms = sorted({str(episode.facts["algorithm"]) for episode in data})
    return minari.create_dataset_from_buffers(
        dataset_id=dataset_id,
        buffer=buffers,
        env=data.env_spec(),
        observation_space=data.observation_space,
        action_space=data.action_space,
        **{"algorithm_name": ", ".join(algorithms), "description": data.command, **about},
    )
