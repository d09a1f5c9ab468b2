"""The environment with one flow under test, as Gymnasium wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import gymnasium
import numpy as np
import numpy.typing as npt
from typing_extensions import Unpack

from ccpark.catalogue import SINGLE_FLOW
from ccpark.files import with_files
from ccpark.options import Options, plain, to_snake
from ccpark.remote import (
    INFO_KEYS,
    Remote,
    Setup,
    episode_info,
    pack_actions,
    rows_of,
    unpack_rows,
)

RENDER_MODES = ("ansi", "rgb_array")
Space = gymnasium.Space[npt.NDArray[np.float32]]
Action = npt.NDArray[np.float32] | np.int64  # of a box, or one of several choices
ActionSpace = gymnasium.Space[Action]
DEFAULT_INFO = tuple(to_snake(key) for key in INFO_KEYS)


def check_render_mode(render_mode: str | None) -> str | None:
    """Refuses what cannot be rendered."""
    if render_mode is not None and render_mode not in RENDER_MODES:
        raise ValueError(f"render_mode: got {render_mode!r}, expected None, 'ansi' or 'rgb_array'")
    return render_mode


class CongestionControlEnv(Remote, gymnasium.Env[npt.NDArray[np.float32], Action]):
    """One flow whose congestion control is the learner's.

    Args:
        render_mode: "ansi", "rgb_array" or None.
        info_keys: what `info` holds, in snake_case; see InfoColumn in environment.proto.
        **options: scenario, observation, action, reward, step_ms and so on, see `EnvOptions`; address and so on, see
            `ConnectionOptions`.

    Raises:
        CcparkError: the server does not start or answer, or knows no such name.
        TypeError: an unknown option.
        ValueError: an option with a bad value.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 10}  # noqa: RUF012  # Gymnasium's own declaration

    def __init__(
        self,
        *,
        render_mode: str | None = None,
        info_keys: Sequence[str] = DEFAULT_INFO,
        **options: Unpack[Options],
    ) -> None:
        self.render_mode = check_render_mode(render_mode)
        self._setup = Setup.of(
            SINGLE_FLOW, cast("dict[str, Any]", options), info_keys=tuple(info_keys), render=render_mode is not None
        )
        observation_space, action_space = self._spaces()
        self.observation_space = cast("Space", observation_space)
        self.action_space = cast("ActionSpace", action_space)
        self._obs_shape = observation_space.shape
        self._action_shape, self._action_dtype = action_space.shape or (), action_space.dtype

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Begins an episode; `options={"scenario": {...}}` is for this one only."""
        super().reset(seed=seed)
        session = self._open()
        if seed is None and self._fresh:
            seed = int(self.np_random.integers(2**31))
        answer = session.reset(seed, options=plain(with_files(options or {})))
        self._begun(answer)
        return unpack_rows(answer.observations[0], self._obs_shape), rows_of(answer.infos, 0)

    def step(self, action: Action) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Applies the action and runs to the end of the step."""
        answer = self._running().step(pack_actions(action, self._action_shape, self._action_dtype))
        (reward,) = self._rewards_of(answer)
        info = rows_of(answer.infos, 0)
        for episode in answer.episodes:
            info["cc_episode"] = episode_info(episode)
        return (
            unpack_rows(answer.observations[0], self._obs_shape),
            float(reward),
            answer.terminated[0] == 1,
            answer.truncated[0] == 1,
            info,
        )

    def render(self) -> Any:
        """The episode so far: text, or an array [height, width, 3]; None without a render mode."""
        if self.render_mode is None:
            return None
        return self._running().render(0, self.render_mode)

    def close(self) -> None:
        """Frees the session; may be called twice."""
        self._close_session()
