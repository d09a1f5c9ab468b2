"""What all environments here share: arguments that pickle, and a session that is made when it is needed."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from gymnasium import error, spaces
from gymnasium.vector import AutoresetMode

from ccpark.catalogue import MULTI_FLOW
from ccpark.files import algorithms_of, with_files
from ccpark.options import is_module, split_options, to_kwargs, to_snake
from ccpark.rewards import FORMULA, TERM_KEYS, ClientReward, Ledger, find_reward
from ccpark.session import Connection, Session, Target
from ccpark.spaces import ActionSpace, action_space_from_wire, box_from_wire
from ccpark.v1 import environment_pb2 as pb

LARGEST_COUNT = 2**32 - 1  # uint32 in environment.proto

# InfoColumn in environment.proto says what they are
INFO_KEYS = (
    "report",
    "timeUs",
    "stepUs",
    "deliveredBytes",
    "lostPackets",
    "rttUs",
    "cwndBytes",
    "pacingRateBytesPerSec",
    "clippedActions",
    "actionLateUs",
    "missedReports",
)
_WIRE_INFO_KEYS = {to_snake(key): key for key in (*INFO_KEYS, "seed")}
_DTYPES = {
    pb.DATA_TYPE_FLOAT32: "<f4",
    pb.DATA_TYPE_FLOAT64: "<f8",
    pb.DATA_TYPE_INT64: "<i8",
    pb.DATA_TYPE_BOOL: "?",
}
_MODES = {
    AutoresetMode.NEXT_STEP: pb.AUTORESET_MODE_NEXT_STEP,
    AutoresetMode.SAME_STEP: pb.AUTORESET_MODE_SAME_STEP,
    AutoresetMode.DISABLED: pb.AUTORESET_MODE_DISABLED,
}
_POLICIES = {
    None: pb.ACTION_POLICY_UNSPECIFIED,
    "clip": pb.ACTION_POLICY_CLIP,
    "reject": pb.ACTION_POLICY_REJECT,
}


def _check_count(name: str, count: object) -> None:
    whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if not whole or not 1 <= cast("int", count) <= LARGEST_COUNT:
        raise ValueError(f"{name}: got {count!r}, expected a whole number from 1 to {LARGEST_COUNT}")


@dataclass(frozen=True)
class Setup:
    """Everything that CreateSession is told, as plain data that pickles."""

    env_id: str
    options: Mapping[str, Any]
    target: Target
    num_envs: int = 1
    autoreset_mode: AutoresetMode = AutoresetMode.DISABLED
    max_episode_steps: int | None = None
    info_keys: Sequence[str] = ()  # snake_case
    with_state: bool = False
    render: bool = False  # keeps what pictures need
    client_reward: ClientReward | None = None

    @classmethod
    def of(cls, env_id: str, options: Mapping[str, Any], **rest: Any) -> Setup:
        """From the keyword arguments of an environment.

        Raises:
            TypeError: an unknown name.
            ValueError: a bad value.
        """
        arguments = ["render_mode", *(name for name in rest if name not in ("render", "with_state"))]
        env_options, connection = split_options(options, env_id == MULTI_FLOW, arguments)
        reward = find_reward(env_options.get("reward"))
        if reward is not None:
            if env_id == MULTI_FLOW:
                raise ValueError(f"reward: got {reward.name}, a function of this process, expected one of the service")
            env_options = {**env_options, "reward": FORMULA}
        return cls(env_id, with_files(env_options), Target(**connection), client_reward=reward, **rest)

    def __post_init__(self) -> None:
        policy = self.options.get("action_policy")
        if policy not in _POLICIES:
            raise ValueError(f"action_policy: got {policy!r}, expected 'clip' or 'reject'")
        _check_count("num_envs", self.num_envs)
        if self.max_episode_steps is not None:
            _check_count("max_episode_steps", self.max_episode_steps)

    def modules(self) -> list[str]:
        """What a server of this process is told of modules that the options name by path."""
        named = [(name, self.options.get(name)) for name in ("observation", "action", "reward")]
        paths = sorted({path for path in algorithms_of(self.options.get("scenario")) if is_module(path)})
        named += [("algorithm", path) for path in paths]
        return [word for name, path in named if is_module(path) for word in (f"--{name}", str(path))]

    def request(self) -> pb.CreateSessionRequest:
        """The message."""
        request = pb.CreateSessionRequest(
            env_id=self.env_id,
            num_envs=self.num_envs,
            max_episode_steps=self.max_episode_steps,
            autoreset_mode=_MODES[self.autoreset_mode],
            action_policy=_POLICIES[self.options.get("action_policy")],
            info_keys=[
                *(wire_info_key(key) for key in self.info_keys),
                *(() if self.client_reward is None else TERM_KEYS),
            ],
            with_state=self.with_state,
        )
        request.kwargs.update(to_kwargs(self.options))
        if self.render:
            request.kwargs["render"] = True
        return request


def wire_info_key(key: str) -> str:
    """rtt_us -> rttUs, reward_delay -> reward.delay; an unknown name is for the server to refuse."""
    if key.startswith("reward_"):
        return f"reward.{key.removeprefix('reward_')}"
    return _WIRE_INFO_KEYS.get(key, key)


class Remote:
    """Mix-in. A copy, or what comes out of a pickle, has the same arguments and makes a session of its own."""

    _setup: Setup
    _session: Session | None = None
    _fresh = True  # the session has not been reset yet, so a reset needs a seed
    _closed = False
    _owner = 0
    _cleanup: weakref.finalize[..., Any] | None = None
    _ledger: Ledger | None = None  # where the reward is a function of this process

    def _announce(self) -> pb.CreateSessionResponse:
        """Of the session, which is made now if there is none."""
        return self._open().description

    def _spaces(self) -> tuple[spaces.Box, ActionSpace]:
        """Observation space and action space of one row."""
        announced = self._announce()
        return (
            box_from_wire(announced.single_observation_space),
            action_space_from_wire(announced.single_action_space),
        )

    def _open(self) -> Session:
        if self._closed:
            raise error.ClosedEnvironmentError("the environment is closed")
        session = self._session
        if session is not None and self._owner == os.getpid() and session.broken is None:
            return session
        if session is not None and self._owner == os.getpid():
            session.close()
        elif self._cleanup is not None:
            self._cleanup.detach()  # it belongs to the process that this one was forked from
        connection = Connection(self._setup.target, self._setup.modules())
        try:
            session = Session(connection, self._setup.request())
        except BaseException:
            connection.close()
            raise
        self._session, self._owner, self._fresh = session, os.getpid(), True
        reward = self._setup.client_reward
        self._ledger = None if reward is None else Ledger(reward, self._setup.num_envs)
        self._cleanup = weakref.finalize(self, session.close)
        return session

    def _running(self) -> Session:
        """The session, to step: one that was reset."""
        session = self._session
        if session is None or self._fresh or self._owner != os.getpid():
            if self._closed:
                raise error.ClosedEnvironmentError("the environment is closed")
            raise error.ResetNeeded("[ccpark] step or render before the first reset")
        return session

    def _begun(self, answer: pb.ResetResponse, mask: npt.NDArray[np.bool_] | None = None) -> None:
        """After a reset of these rows, or of all."""
        self._fresh = False
        if self._ledger is not None:
            self._ledger.begin(answer, mask)

    def _rewards_of(self, answer: pb.StepResponse) -> npt.NDArray[np.float64]:
        """Before anything else of the answer is read: a function of this process changes its returns."""
        if self._ledger is not None:
            return self._ledger.settle(answer)
        return np.frombuffer(answer.rewards, "<f8").astype(np.float64)

    def _close_session(self) -> None:
        self._closed = True
        if self._cleanup is not None and self._owner == os.getpid():
            self._cleanup()
        self._session = self._cleanup = None

    def __getstate__(self) -> dict[str, Any]:
        here = ("_session", "_cleanup", "_owner", "_fresh", "_ledger", "_np_random", "_np_random_seed")
        return {key: value for key, value in self.__dict__.items() if key not in here}


def pack_actions(actions: Any, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> bytes:
    """Little-endian in C order.

    Args:
        actions: of the action space; whole numbers where it is one of choices
        shape: that they must have
        dtype: of the action space

    Raises:
        ValueError: another shape, or numbers that are not whole for choices.
    """
    given = np.asarray(actions)
    wire = np.dtype(dtype).newbyteorder("<")
    if wire.kind == "i" and given.dtype.kind not in "iu":
        raise ValueError(f"[ccpark] actions: got {given.dtype}, expected whole numbers")
    packed = np.ascontiguousarray(given, wire).reshape(given.shape)  # ascontiguousarray makes a scalar a vector
    if packed.shape != shape:
        raise ValueError(f"[ccpark] actions: got shape {packed.shape}, expected {shape}")
    return packed.tobytes()


def unpack_rows(packed: bytes, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """A fresh array that its caller may keep and change."""
    return np.frombuffer(packed, "<f4").astype(np.float32).reshape(shape)


def unpack_flags(packed: bytes) -> npt.NDArray[np.bool_]:
    """One per row."""
    return np.frombuffer(packed, np.uint8).astype(np.bool_)


def unpack_column(column: pb.InfoColumn) -> npt.NDArray[Any]:
    """One value per row."""
    values = np.frombuffer(column.values, _DTYPES[column.dtype])
    return values.astype(values.dtype.newbyteorder("="))


def rows_of(columns: Sequence[pb.InfoColumn], row: int) -> dict[str, Any]:
    """The info of one row, with Python's own types."""
    return {
        to_snake(column.key): unpack_column(column)[row].item()
        for column in columns
        if not column.mask or column.mask[row]
    }


def episode_info(episode: pb.EpisodeSummary) -> dict[str, Any]:
    """`info["cc_episode"]` of the step that ended an episode."""
    return {
        "episode_return": episode.episode_return,
        "length": episode.length,
        "sim_seconds": episode.sim_seconds,
        "seed": episode.seed,
        "episode_index": episode.episode_index,
        "metrics": {to_snake(key): value for key, value in sorted(episode.metrics.items())},
    }
