"""Options in Python style and as the service wants them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypedDict

import numpy as np


class EnvOptions(TypedDict, total=False):
    """Options of the environments; what is left out has the service's default."""

    # a preset's name, the path of a scenario file (.yaml, .json), or a scenario as an object
    scenario: str | os.PathLike[str] | Mapping[str, Any]
    trace: str | os.PathLike[str]  # the name of a shipped trace or the path of one, for scenarios that take one
    duration_sec: float  # virtual seconds of an episode
    # "simulated" (virtual time); in real time "udp" (packets on loopback) and, on Linux as root, "emulated"
    # and "linux"; "mahimahi" where its shells are installed
    testbed: str
    observation: str  # "standard", "park-14", ...; the local server loads a module too, "./mine.js"
    action: str  # "multiplicative", "absolute", "indigo" (five choices), or a module
    reward: str  # "score", "park", a formula, a function of `register_reward`, or a module
    step_ms: float | Literal["rtt"]  # virtual milliseconds of a step, or one round trip
    report_loss_at_once: bool  # a loss or a timeout ends a step at once
    action_delay_us: float  # virtual microseconds between a decision and its arrival at the datapath
    action_policy: Literal["clip", "reject"]  # for a finite action outside of the action space
    share: Literal["own", "mean"]  # several flows: the reward of a flow is its own or the mean
    possible_flows: Sequence[str]  # several flows: all ids, where an episode draws its scenario


class ConnectionOptions(TypedDict, total=False):
    """Where the service is and how it is spoken to."""

    address: str | None  # host:port of a running `ccpark serve`; None: a server of this process, started for it
    token: str | None  # bearer token of a server on another machine
    root_certificates: str | os.PathLike[str] | bytes | None  # PEM, or its path, to trust the server's certificate
    server: Literal["shared", "own"]  # without an address: one for all environments of this process, or one more
    timeout: float  # seconds, the longest wait for one answer; 30


class Options(EnvOptions, ConnectionOptions, total=False):
    """All that environments take by name."""


@cache
def to_camel(name: str) -> str:
    """step_ms -> stepMs."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@cache
def to_snake(name: str) -> str:
    """Turn pacingRateBytesPerSec into pacing_rate_bytes_per_sec and reward.delay into reward_delay."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace(".", "_")).lower()


def is_module(value: object) -> bool:
    """Whether it is the path of a JavaScript module rather than a name or a formula."""
    return isinstance(value, str) and value.endswith((".js", ".mjs", ".ts", ".mts"))


def plain(value: Any) -> Any:
    """Numbers, text, lists and dicts, as google.protobuf.Struct takes them."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"options are plain data: got {type(value).__name__}")


OF_SEVERAL_FLOWS = ("share", "possible_flows")


def split_options(
    options: Mapping[str, Any], several_flows: bool, arguments: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the environment and those of the connection.

    Args:
        options: by name.
        several_flows: whether the environment has several flows under test.
        arguments: what the caller takes by name besides them, for hints.

    Raises:
        TypeError: a name that is no option, and the nearest that is.
    """
    of_env = [name for name in EnvOptions.__annotations__ if several_flows or name not in OF_SEVERAL_FLOWS]
    known = [*of_env, *ConnectionOptions.__annotations__]
    for name in options:
        if name not in known:
            names = [*known, *arguments]
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(names)}"
            raise TypeError(f"unknown option `{name}`: {hint}")
    return (
        {name: value for name, value in options.items() if name in of_env},
        {name: value for name, value in options.items() if name not in of_env},
    )


def to_kwargs(options: Mapping[str, Any]) -> dict[str, Any]:
    """CreateSessionRequest.kwargs, without `action_policy`, which has a field of its own."""
    return {
        to_camel(name): plain(value) for name, value in options.items() if value is not None and name != "action_policy"
    }
