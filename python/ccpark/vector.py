"""Many environments in one message, as Gymnasium's VectorEnv wants them: batches are never taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from gymnasium import error
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from typing_extensions import Unpack

from ccpark.catalogue import SINGLE_FLOW
from ccpark.env import RENDER_MODES, check_render_mode
from ccpark.files import with_files
from ccpark.options import Options, plain, to_snake
from ccpark.remote import (
    Remote,
    Setup,
    episode_info,
    pack_actions,
    unpack_column,
    unpack_flags,
    unpack_rows,
)
from ccpark.v1 import environment_pb2 as pb

Floats = npt.NDArray[np.float32]
Actions = npt.NDArray[np.float32] | npt.NDArray[np.int64]  # of boxes, or choices
Rewards = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
StepResult = tuple[Floats, Rewards, Flags, Flags, dict[str, Any]]


class CongestionControlVectorEnv(Remote, VectorEnv[Floats, Actions, npt.NDArray[Any]]):
    """`num_envs` environments with one flow each, stepped together.

    Arrays that it returns are the caller's: the next step does not change them. `reset_rows` says which rows of the
    last NEXT_STEP answer ignored their action.

    Args:
        num_envs: how many.
        autoreset_mode: Gymnasium's, or its value as text; "NextStep" by default.
        max_episode_steps: truncates after so many steps.
        render_mode: "ansi", "rgb_array" or None.
        info_keys: what `infos` holds, in snake_case; none by default, for speed.
        **options: as for `CongestionControlEnv`.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        info_keys: Sequence[str] = (),
        **options: Unpack[Options],
    ) -> None:
        self.render_mode = check_render_mode(render_mode)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": list(RENDER_MODES),
            "render_fps": 10,
            "autoreset_mode": self.autoreset_mode,
        }
        self.num_envs = num_envs
        self._setup = Setup.of(
            SINGLE_FLOW,
            cast("dict[str, Any]", options),
            num_envs=num_envs,
            autoreset_mode=self.autoreset_mode,
            max_episode_steps=max_episode_steps,
            info_keys=tuple(info_keys),
            render=render_mode is not None,
        )
        observation_space, action_space = self._spaces()
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self._obs_shape = (num_envs, *observation_space.shape)
        self._action_shape = (num_envs, *(action_space.shape or ()))
        self._action_dtype = action_space.dtype
        self.reset_rows: Flags = np.zeros(num_envs, np.bool_)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Floats, dict[str, Any]]:
        """Resets all environments, or those of `options["reset_mask"]`.

        Args:
            seed: environment i gets seed + i, or the i-th of a sequence; None: each goes on with its own sequence.
            options: "reset_mask", an array of bool per environment, and "scenario", an object.

        Raises:
            ValueError: a wrong number of seeds, a mask of another shape or without any True.
            TypeError: a mask that is no array of bool.
        """
        rest = dict(options or {})
        mask = self._mask_of(rest.pop("reset_mask")) if "reset_mask" in rest else None
        seeds = self._seeds_of(seed)
        super().reset(seed=seeds if isinstance(seeds, int) else None)
        session = self._open()
        if seeds is None and self._fresh:
            seeds = int(self.np_random.integers(2**31))
        answer = session.reset(seeds, mask, plain(with_files(rest)))
        self._begun(answer, mask)
        self.reset_rows = np.zeros(self.num_envs, np.bool_)
        infos: dict[str, Any] = {}
        self._add_columns(infos, answer.infos)
        return unpack_rows(answer.observations[0], self._obs_shape), infos

    def step(self, actions: Actions) -> StepResult:
        """One step of all environments."""
        self.send(actions)
        return self.recv()

    def send(self, actions: Actions) -> None:
        """The first half of a step; up to `max_in_flight` may be sent before the first `recv`."""
        self._running().send_step(pack_actions(actions, self._action_shape, self._action_dtype))

    def recv(self) -> StepResult:
        """The second half: the result of the oldest step that was sent."""
        session = self._running()
        if session.in_flight == 0:
            raise error.NoAsyncCallError("recv without send", "send")
        answer = session.receive().step
        rewards = self._rewards_of(answer)
        self.reset_rows = unpack_flags(answer.reset_rows)
        infos: dict[str, Any] = {}
        if answer.HasField("final"):
            self._add_final(infos, answer)
        elif answer.episodes:
            self._add_episodes(infos, answer.episodes)
        self._add_columns(infos, answer.infos)
        return (
            unpack_rows(answer.observations[0], self._obs_shape),
            rewards,
            unpack_flags(answer.terminated),
            unpack_flags(answer.truncated),
            infos,
        )

    @property
    def max_in_flight(self) -> int:
        """Steps that may be sent before the first is received."""
        return self._announce().max_in_flight

    def render(self) -> tuple[Any, ...] | None:
        """The episodes so far, one picture per environment; None without a render mode."""
        if self.render_mode is None:
            return None
        session = self._running()
        return tuple(session.render(index, self.render_mode) for index in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the session."""
        self._close_session()

    def _mask_of(self, mask: Any) -> Flags:
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"options['reset_mask']: got {mask!r}, expected a numpy array of bool")
        if mask.shape != (self.num_envs,):
            raise ValueError(f"options['reset_mask']: got shape {mask.shape}, expected {(self.num_envs,)}")
        if not mask.any():
            raise ValueError("options['reset_mask']: got no True, expected at least one")
        return mask

    def _seeds_of(self, seed: int | Sequence[int | None] | None) -> int | list[int] | None:
        if seed is None or isinstance(seed, int):
            return seed
        if not isinstance(seed, (Sequence, np.ndarray)):
            raise error.Error(f"Seed must be a python integer or a list of them, actual type: {type(seed)}")
        if len(seed) != self.num_envs:
            raise ValueError(f"seed: got {len(seed)} seeds, expected num_envs = {self.num_envs}")
        if all(one is None for one in seed):
            return None
        seeds = [one for one in seed if isinstance(one, (int, np.integer)) and one >= 0]
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed: got {list(seed)}, expected whole numbers from 0 for all, or None")
        return [int(one) for one in seeds]

    def _add_columns(self, infos: dict[str, Any], columns: Sequence[pb.InfoColumn]) -> None:
        for column in columns:
            key = to_snake(column.key)
            infos[key] = unpack_column(column)
            infos[f"_{key}"] = unpack_flags(column.mask) if column.mask else np.ones(self.num_envs, np.bool_)

    def _add_episodes(self, infos: dict[str, Any], episodes: Sequence[pb.EpisodeSummary]) -> None:
        for episode in episodes:
            self._add_info(infos, {"cc_episode": episode_info(episode)}, episode.row)

    def _add_final(self, infos: dict[str, Any], answer: pb.StepResponse) -> None:
        """SAME_STEP: the last observation and info of the episodes that ended."""
        final = answer.final
        rows = np.fromiter(final.rows, np.intp, len(final.rows))
        ended = np.zeros(self.num_envs, np.bool_)
        ended[rows] = True
        last = unpack_rows(final.observations[0], (len(rows), *self._obs_shape[1:]))
        final_obs = np.full(self.num_envs, None, object)
        for row, observation in zip(rows, last, strict=True):
            final_obs[row] = observation
        final_info: dict[str, Any] = {}
        for column in final.infos:
            key = to_snake(column.key)
            some = unpack_column(column)
            final_info[key] = np.zeros(self.num_envs, some.dtype)
            final_info[key][rows] = some
            final_info[f"_{key}"] = ended.copy()
        self._add_episodes(final_info, answer.episodes)
        infos.update(final_obs=final_obs, _final_obs=ended, final_info=final_info, _final_info=ended.copy())
