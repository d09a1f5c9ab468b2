"""What the package is made of: stubs of the specification, versions, names, and how fast it is."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import ccpark
from ccpark.env import DEFAULT_INFO
from ccpark.options import OF_SEVERAL_FLOWS, EnvOptions, to_camel, to_snake
from ccpark.registration import PRESETS
from ccpark.remote import wire_info_key
from ccpark.v1 import environment_pb2

PYTHON = Path(__file__).resolve().parents[1]


def test_the_stubs_are_those_of_the_specification(tmp_path):
    pytest.importorskip("grpc_tools")
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", f"-I{PYTHON.parent / 'proto'}"),
            *(f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", f"--grpc_python_out={tmp_path}"),
            "ccpark/v1/environment.proto",
        ],
        check=True,
    )
    for name in ("environment_pb2.py", "environment_pb2.pyi", "environment_pb2_grpc.py"):
        committed = PYTHON / "ccpark" / "v1" / name
        assert committed.read_text() == (tmp_path / "ccpark" / "v1" / name).read_text(), "run ./generate-stubs.sh"


def test_it_has_the_version_of_the_npm_package():
    package = json.loads((PYTHON.parent / "package.json").read_text())
    assert ccpark.__version__ == package["version"]


@pytest.mark.parametrize(
    ("snake", "camel"),
    [("step_ms", "stepMs"), ("action_delay_us", "actionDelayUs"), ("scenario", "scenario")],
)
def test_names_of_options(snake, camel):
    assert to_camel(snake) == camel
    assert to_snake(camel) == snake


def test_names_of_info():
    assert to_snake("pacingRateBytesPerSec") == "pacing_rate_bytes_per_sec"
    assert to_snake("p95QueueDelayMs") == "p95_queue_delay_ms"
    assert to_snake("reward.delay") == "reward_delay"
    for key in ("rtt_us", "pacing_rate_bytes_per_sec", "seed", "reward_delay"):
        assert to_snake(wire_info_key(key)) == key


def test_presets_are_those_of_the_service_with_one_flow():
    offered = {scenario.name for scenario in ccpark.describe_env().scenarios}
    assert set(PRESETS) <= offered
    # suites of which some members have one flow under test and others several: which one comes is drawn
    mixed = {"c4", "sussex"}
    for name in offered - set(PRESETS) - mixed:
        with pytest.raises(ValueError, match="flows under test"):
            ccpark.CongestionControlEnv(scenario=name)


def test_a_preset_has_a_name_in_the_registry():
    env = gymnasium.make("ccpark/park-paper-v0", duration_sec=1)
    assert env.spec.kwargs == {"scenario": "park-paper", "duration_sec": 1}
    env.close()


def test_the_service_describes_what_it_offers():
    offered = ccpark.describe_env()
    assert {one.name for one in offered.observations} >= {"standard", "park-14"}
    assert ccpark.describe_env("ccpark/MultiFlow-v0").env.several_flows
    with pytest.raises(ccpark.CcparkError, match="nothing"):
        ccpark.describe_env("nothing/here-v0")


@pytest.mark.parametrize("several_flows", [False, True])
def test_every_option_of_the_service_has_its_name_here(several_flows):
    env_id = "ccpark/MultiFlow-v0" if several_flows else "ccpark/CongestionControl-v0"
    schema = json.loads(ccpark.describe_env(env_id).env.kwargs_json_schema)
    # the seed is for `reset`, pictures are for `render_mode`; the policy has a field of its own
    offered = {to_snake(name) for name in schema["properties"]} - {"seed", "render"} | {"action_policy"}
    assert offered == set(EnvOptions.__annotations__) - (set() if several_flows else set(OF_SEVERAL_FLOWS))


def test_the_info_of_a_single_environment_is_all_that_the_service_has():
    offered = {to_snake(key.key) for key in ccpark.describe_env().info_keys}
    assert {key for key in offered if not key.startswith("reward_")} == {*DEFAULT_INFO, "seed"}


@pytest.mark.parametrize(
    ("use", "missing", "packages"),
    [
        (lambda: ccpark.parallel_env(), "pettingzoo", "'./python[pettingzoo]'"),
        (lambda: importlib.import_module("ccpark.sb3"), "stable_baselines3", "'./python[sb3]'"),
        (lambda: ccpark.export_onnx(None, "policy.onnx"), "onnx", "'./python[onnx]' torch"),
        (lambda: ccpark.add_contract("policy.onnx"), "onnx", "'./python[onnx]'"),
    ],
)
def test_a_library_that_is_missing_is_named_with_what_installs_it(monkeypatch, use, missing, packages):
    for name in [missing, *(name for name in sys.modules if name.startswith(f"{missing}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("ccpark.parallel", "ccpark.sb3"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ModuleNotFoundError, match=f"needs {missing}: pip install {re.escape(packages)}$"):
        use()


def test_every_kind_of_answer_is_known():
    kinds = [field.name for field in environment_pb2.ConnectResponse.DESCRIPTOR.oneofs_by_name["payload"].fields]
    assert kinds == ["attach", "reset", "step", "detach", "error"]


def test_a_batch_is_never_taken_apart():
    """By the time that this process computes, which a busy machine does not change much."""
    envs = ccpark.make_vec(256, scenario="park-paper", step_ms=10)
    envs.reset(seed=1)
    actions = np.zeros(envs.action_space.shape, np.float32)
    for _ in range(20):
        envs.step(actions)
    began = time.process_time()
    for _ in range(50):
        envs.step(actions)
    ms_per_step = (time.process_time() - began) / 50 * 1e3
    print(f"{ms_per_step:.2f} ms for 256 environments")
    assert ms_per_step < 5
    envs.close()
