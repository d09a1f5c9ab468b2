"""Rewards of one's own: functions over the facts of a step, computed in this process.

The service is asked for a formula whose summands are all facts, and sends them as the components of that reward.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ccpark.options import to_snake
from ccpark.v1 import environment_pb2 as pb

# `ccpark explain facts` has units, ranges and definitions
_WIRE_FACTS = (
    "throughputMbps",
    "sendRateMbps",
    "deliveryRateMbps",
    "queueDelayMs",
    "rttMs",
    "lastRttMs",
    "minRttMs",
    "lossRate",
    "ecnRate",
    "lostPackets",
    "deliveredPackets",
    "inflightPackets",
    "timeout",
    "stepMs",
)
FACTS = tuple(to_snake(name) for name in _WIRE_FACTS)
Facts: Any = namedtuple("Facts", list(FACTS))  # type: ignore[misc]
FORMULA = " + ".join(_WIRE_FACTS)
TERM_KEYS = tuple(f"reward.term{number}" for number in range(1, len(FACTS) + 1))

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClientReward:
    """A registered function."""

    name: str
    function: Callable[[Any], Any]
    vectorised: bool

    def of(self, columns: Numbers, rows: Sequence[int]) -> Numbers:
        """The rewards of some rows.

        Args:
            columns: [facts, all rows]
            rows: those that have made a step

        Raises:
            ValueError: what is no finite number per row.
        """
        here = columns[:, rows]
        if self.vectorised:
            values = np.asarray(self.function(Facts(*here)), np.float64)
        else:
            values = np.array([self.function(Facts(*map(float, row))) for row in here.T], np.float64)
        if values.shape != (len(rows),):
            raise ValueError(f"reward {self.name}: got shape {values.shape}, expected {(len(rows),)}")
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad) > 0:
            facts = Facts(*map(float, here[:, bad[0]]))
            raise ValueError(f"reward {self.name}: got {values[bad[0]]}, expected a finite number; {facts}")
        return values


_registered: dict[str, ClientReward] = {}


def register_reward(name: str, function: Callable[[Any], Any], *, vectorised: bool = False) -> None:
    """Makes `reward=name` a function of this process; it travels with environments that are pickled.

    Args:
        name: an identifier; registered again, the newer function counts for environments that are made from then on.
        function: gets the facts of a step by name, `facts.throughput_mbps`, `facts.queue_delay_ms`, `facts.loss_rate`
            and so on (`ccpark explain facts`, in snake_case), and says a finite number.
        vectorised: it gets arrays with a number per environment and says such an array, which is quicker.

    Raises:
        ValueError: a name that is no identifier.
        TypeError: no function.
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"name: got {name!r}, expected an identifier")
    if not callable(function):
        raise TypeError(f"function: got {type(function).__name__}, expected a function of a step's facts")
    _registered[name] = ClientReward(name, function, vectorised)


def find_reward(name: object) -> ClientReward | None:
    """What is registered under this name."""
    return _registered.get(name) if isinstance(name, str) else None


def _columns_of(infos: Any, count: int) -> Numbers:
    """Takes the facts out of an answer: [facts, rows]."""
    columns = np.zeros((len(FACTS), count))
    for place in reversed(range(len(infos))):
        key = infos[place].key
        if key in TERM_KEYS:
            columns[TERM_KEYS.index(key)] = np.frombuffer(infos[place].values, "<f8")
            del infos[place]
    return columns


class Ledger:
    """Rewards and returns of the rows of one session."""

    def __init__(self, reward: ClientReward, num_envs: int) -> None:
        self._reward = reward
        self._returns = np.zeros(num_envs)

    def begin(self, answer: pb.ResetResponse, mask: npt.NDArray[np.bool_] | None) -> None:
        """After a reset of these rows, or of all."""
        _columns_of(answer.infos, len(self._returns))
        self._returns[slice(None) if mask is None else mask] = 0

    def settle(self, answer: pb.StepResponse) -> Numbers:
        """The rewards of a step; the answer has the returns of the episodes that ended, and no facts, afterwards."""
        count = len(self._returns)
        columns = _columns_of(answer.infos, count)
        if answer.HasField("final"):
            columns[:, answer.final.rows] = _columns_of(answer.final.infos, len(answer.final.rows))
        began = np.frombuffer(answer.reset_rows, np.uint8)
        rows = [row for row in range(count) if len(began) == 0 or not began[row]]
        rewards = np.zeros(count)
        if rows:
            rewards[rows] = self._reward.of(columns, rows)
        self._returns += rewards
        for episode in answer.episodes:
            episode.episode_return = self._returns[episode.row]
            self._returns[episode.row] = 0
        return rewards
