"""Several flows that join and leave, as PettingZoo's ParallelEnv wants them. Needs `pip install pettingzoo`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.utils import seeding
from typing_extensions import Unpack

from ccpark.catalogue import MULTI_FLOW
from ccpark.env import DEFAULT_INFO, RENDER_MODES, check_render_mode
from ccpark.errors import needs_library
from ccpark.files import with_files
from ccpark.options import Options, plain
from ccpark.remote import (
    Remote,
    Setup,
    episode_info,
    pack_actions,
    rows_of,
    unpack_flags,
    unpack_rows,
)
from ccpark.spaces import ActionSpace, box_from_wire
from ccpark.v1 import environment_pb2 as pb

with needs_library("ccpark.parallel_env", "'./python[pettingzoo]'"):
    from pettingzoo import ParallelEnv

Floats = npt.NDArray[np.float32]
Action = npt.NDArray[np.float32] | np.int64  # of a box, or one of several choices


class MultiFlowParallelEnv(Remote, ParallelEnv[str, Floats, Action]):  # type: ignore[misc]
    """The flows under test of a scenario, one agent each.

    `possible_agents` are all that a scenario may have; `agents` those to act next. A flow joins when it starts and
    leaves, never to come back, when it stops. `agents` is empty when the episode is over, and only then: steps without
    any live flow are taken inside.

    Args:
        render_mode: "ansi", "rgb_array" or None.
        info_keys: what the infos hold, in snake_case.
        **options: as for `CongestionControlEnv`.
    """

    metadata = {  # noqa: RUF012  # PettingZoo's own declaration
        "name": "ccpark_multi_flow_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": 10,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        *,
        render_mode: str | None = None,
        info_keys: Sequence[str] = DEFAULT_INFO,
        **options: Unpack[Options],
    ) -> None:
        self.render_mode = check_render_mode(render_mode)
        self._setup = Setup.of(
            MULTI_FLOW,
            cast("dict[str, Any]", options),
            info_keys=tuple(info_keys),
            render=render_mode is not None,
            with_state=True,
        )
        announced = self._announce()
        observation_space, action_space = self._spaces()
        self.possible_agents = list(announced.flow_ids)
        # one object per agent, so that seeding one does not seed the others
        self.observation_spaces = {agent: copy.deepcopy(observation_space) for agent in self.possible_agents}
        self.action_spaces = {agent: copy.deepcopy(action_space) for agent in self.possible_agents}
        self.state_space = box_from_wire(announced.state_space)
        self._rows = {agent: row for row, agent in enumerate(self.possible_agents)}
        self._obs_shape = (len(self._rows), *observation_space.shape)
        self._action_shape = (len(self._rows), *(action_space.shape or ()))
        self._action_dtype: np.dtype[Any] = np.dtype(action_space.dtype)
        self.agents: list[str] = []
        self._state = np.zeros(self.state_space.shape, np.float32)

    def observation_space(self, agent: str) -> spaces.Box:
        """The same object in every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> ActionSpace:
        """The same object in every call."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Floats], dict[str, dict[str, Any]]]:
        """Begins an episode. `options["scenario"]`, an object, is for this one only; other options are ignored."""
        session = self._open()
        if seed is not None:
            seeding.np_random(seed)  # refuses what Gymnasium refuses
        elif self._fresh:
            seed = int(np.random.default_rng().integers(2**31))
        mine = {key: value for key, value in (options or {}).items() if key == "scenario"}
        answer = session.reset(seed, options=plain(with_files(mine)))
        self._fresh = False
        observations, infos = self._present(answer)
        self._take(answer)
        if not self.agents:
            observations, infos = self._until_someone_joins()[:2]
        return observations, infos

    def step(
        self, actions: Mapping[str, Action]
    ) -> tuple[
        dict[str, Floats],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """One step of all flows; each dict has those that acted and those that joined.

        Raises:
            ValueError: an agent that is not live, or not all of those that are.
        """
        if set(actions) != set(self.agents):
            raise ValueError(f"[ccpark] actions: got {sorted(actions)}, expected one of each of {self.agents}")
        packed = np.zeros(self._action_shape, self._action_dtype)
        for agent, action in actions.items():
            given = np.asarray(action)
            if self._action_dtype.kind == "i" and given.dtype.kind not in "iu":
                raise ValueError(f"[ccpark] action of {agent}: got {given.dtype}, expected a whole number")
            packed[self._rows[agent]] = given
        acted = self.agents
        answer = self._running().step(pack_actions(packed, self._action_shape, self._action_dtype))
        self._take(answer)
        observations, infos = self._present(answer)
        rewards, terminated, truncated = self._results(answer, [*acted, *self.agents])
        if not self.agents and not answer.ended[0]:
            more = self._until_someone_joins()
            for mine, later in zip((observations, infos, rewards, terminated, truncated), more, strict=True):
                mine.update(later)  # type: ignore[attr-defined]
        return observations, rewards, terminated, truncated, infos

    def _take(self, answer: pb.ResetResponse | pb.StepResponse) -> None:
        live = unpack_flags(answer.live)
        self.agents = [agent for agent, row in self._rows.items() if live[row]]
        self._state = unpack_rows(answer.states, self.state_space.shape)

    def _present(
        self, answer: pb.ResetResponse | pb.StepResponse
    ) -> tuple[dict[str, Floats], dict[str, dict[str, Any]]]:
        present = unpack_flags(answer.present)
        rows = unpack_rows(answer.observations[0], self._obs_shape)
        here = {agent: row for agent, row in self._rows.items() if present[row]}
        observations = {agent: rows[row].copy() for agent, row in here.items()}
        infos = {agent: rows_of(answer.infos, row) for agent, row in here.items()}
        for episode in answer.episodes if isinstance(answer, pb.StepResponse) else ():
            infos[self.possible_agents[episode.row]]["cc_episode"] = episode_info(episode)
        return observations, infos

    def _results(
        self, answer: pb.StepResponse, agents: Sequence[str]
    ) -> tuple[dict[str, float], dict[str, bool], dict[str, bool]]:
        rewards = np.frombuffer(answer.rewards, "<f8")
        return (
            {agent: float(rewards[self._rows[agent]]) for agent in agents},
            {agent: answer.terminated[self._rows[agent]] == 1 for agent in agents},
            {agent: answer.truncated[self._rows[agent]] == 1 for agent in agents},
        )

    def _until_someone_joins(
        self,
    ) -> tuple[
        dict[str, Floats],
        dict[str, dict[str, Any]],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
    ]:
        nothing = bytes(self._action_dtype.itemsize * int(np.prod(self._action_shape)))
        while True:
            answer = self._running().step(nothing)
            self._take(answer)
            if self.agents or answer.ended[0]:
                return (*self._present(answer), *self._results(answer, self.agents))

    def state(self) -> Floats:
        """Numbers for a central critic, from the simulator's own books; not to be acted upon."""
        return np.array(self._state)

    def render(self) -> Any:
        """The episode so far: text, or an array [height, width, 3]; None without a render mode."""
        if self.render_mode is None:
            return None
        return self._running().render(0, self.render_mode)

    def close(self) -> None:
        """Frees the session; may be called twice."""
        self._close_session()
