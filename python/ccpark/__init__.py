"""Congestion control as a reinforcement-learning environment.

`gymnasium.make("ccpark/CongestionControl-v0", scenario=...)` and `ccpark.make_vec(num_envs, scenario=...)` for one
flow, `ccpark.parallel_env(scenario=...)` for several, `ccpark.sb3.make_vec_env` for Stable-Baselines3. Without an
address they start a server of their own.
"""

from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ccpark.catalogue import describe_env
from ccpark.command import bench
from ccpark.env import CongestionControlEnv
from ccpark.errors import CcparkError
from ccpark.onnx_export import Normalisation, PolicyContract, add_contract, export_onnx
from ccpark.options import EnvOptions, Options
from ccpark.registration import register_envs
from ccpark.rewards import register_reward
from ccpark.vector import CongestionControlVectorEnv

if TYPE_CHECKING:
    from ccpark.parallel import MultiFlowParallelEnv

__version__ = version("ccpark")

__all__ = [
    "CcparkError",
    "CongestionControlEnv",
    "CongestionControlVectorEnv",
    "EnvOptions",
    "Normalisation",
    "Options",
    "PolicyContract",
    "__version__",
    "add_contract",
    "bench",
    "describe_env",
    "export_onnx",
    "make_vec",
    "parallel_env",
    "register_envs",
    "register_reward",
]

register_envs()

make_vec = CongestionControlVectorEnv


def parallel_env(**options: Any) -> "MultiFlowParallelEnv":
    """A `ParallelEnv` of PettingZoo: several flows that join and leave; see `ccpark.parallel.MultiFlowParallelEnv`."""
    from ccpark.parallel import MultiFlowParallelEnv

    return MultiFlowParallelEnv(**options)


def __getattr__(name: str) -> ModuleType:
    """The modules whose libraries are optional load when they are named."""
    if name in ("datasets", "parallel", "sb3"):
        return import_module(f"ccpark.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
