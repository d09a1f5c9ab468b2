"""Rewards of one's own: formulas, which the service computes, and functions, which run here."""

from __future__ import annotations

import json
import pickle
import subprocess

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import ccpark
from ccpark.local_server import node_program
from ccpark.rewards import FACTS, FORMULA

OPTIONS = {"scenario": "park-paper", "duration_sec": 1, "step_ms": 50}
TEXT = "log2(throughputMbps) - 0.5 * log2(max(queueDelayMs, 1)) - 10 * lossRate"


def ours(facts):
    delay = max(facts.queue_delay_ms, 1)
    return np.log2(facts.throughput_mbps) - 0.5 * np.log2(delay) - 10 * facts.loss_rate


def arrays(facts):
    return np.log2(facts.throughput_mbps) - 0.5 * np.log2(np.maximum(facts.queue_delay_ms, 1)) - 10 * facts.loss_rate


@pytest.fixture(autouse=True)
def _registered():
    ccpark.register_reward("ours", ours)
    ccpark.register_reward("arrays", arrays, vectorised=True)


def test_the_facts_are_those_of_the_service():
    said = subprocess.run([*node_program(), "explain", "facts", "--json"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    offered = [row["name"] for row in rows if "of a step" in row["summary"]]
    assert FORMULA.split(" + ") == [name for name in offered if name != "fairShareMbps"]
    assert FACTS[0] == "throughput_mbps"


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("name", ["ours", "arrays"])
def test_a_function_is_worth_what_the_same_formula_is(name, mode):
    envs = [
        ccpark.make_vec(3, reward=reward, autoreset_mode=mode, info_keys=["step_us"], **OPTIONS)
        for reward in (TEXT, name)
    ]
    for env in envs:
        env.reset(seed=5)
    ended = 0
    for _ in range(60):
        results = [env.step(np.full((3, 1), 0.2, np.float32)) for env in envs]
        (seen, wanted, _, truncated, infos), (seen_here, rewards, _, _, own_infos) = results
        np.testing.assert_array_equal(seen, seen_here)
        np.testing.assert_allclose(rewards, wanted, rtol=1e-12)
        final, own_final = (each.get("final_info", each) for each in (infos, own_infos))
        assert own_infos.keys() == infos.keys()
        if "cc_episode" in final:
            returns = [each["cc_episode"]["episode_return"] for each in (final, own_final)]
            np.testing.assert_allclose(returns[1], returns[0], rtol=1e-9)
            ended += int(truncated.sum())
        if mode is AutoresetMode.DISABLED and truncated.any():
            for env in envs:
                env.reset(options={"reset_mask": truncated})
    assert ended > 3
    for env in envs:
        env.close()


def test_a_single_environment_has_it_too_and_takes_it_along_in_a_pickle():
    with ccpark.CongestionControlEnv(reward="ours", **OPTIONS) as env:
        again = pickle.loads(pickle.dumps(env))
        formula = ccpark.CongestionControlEnv(reward=TEXT, **OPTIONS)
        for each in (env, again, formula):
            each.reset(seed=1)
        for _ in range(5):
            wanted = formula.step(np.zeros(1, np.float32))
            for each in (env, again):
                _, reward, _, _, info = each.step(np.zeros(1, np.float32))
                assert reward == pytest.approx(wanted[1])
                assert info.keys() == wanted[4].keys()
        again.close()
        formula.close()


def test_what_is_no_number_is_named_with_the_facts():
    ccpark.register_reward("nothing", lambda facts: float("nan"))
    with ccpark.CongestionControlEnv(reward="nothing", **OPTIONS) as env:
        env.reset(seed=1)
        with pytest.raises(ValueError, match=r"reward nothing: got nan, expected a finite number; Facts"):
            env.step(np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="expected an identifier"):
        ccpark.register_reward("a b", ours)
    with pytest.raises(TypeError, match="function: got int"):
        ccpark.register_reward("a", 3)
    pytest.importorskip("pettingzoo")
    with pytest.raises(ValueError, match="reward: got ours, a function of this process"):
        ccpark.parallel_env(reward="ours")


def test_a_wrong_name_in_a_formula_is_answered_with_the_nearest():
    with pytest.raises(ccpark.CcparkError, match="unknown name `thruputMbps`; did you mean `throughputMbps`"):
        ccpark.make_vec(1, reward="thruputMbps * 2", **OPTIONS)


def test_modules_of_ones_own_are_loaded_by_the_server_of_this_process(tmp_path, monkeypatch):
    module = tmp_path / "mine.js"
    module.write_text(
        """export default { name: "mine", definition: "packets", source: "here",
        dimensions: [{ name: "packets", unit: "packets", low: -10, high: 10, definition: "more or less" }],
        apply([packets], setting, mss) { setting.cwndBytes += packets * mss; } };"""
    )
    (tmp_path / "package.json").write_text('{ "type": "module" }')
    monkeypatch.chdir(tmp_path)
    with ccpark.CongestionControlEnv(action="./mine.js", **OPTIONS) as env:
        assert env.action_space.high.tolist() == [10]
        env.reset(seed=1)
        window = env.step(np.array([3], np.float32))[4]["cwnd_bytes"]
        assert window == 13 * 1448


def test_algorithms_of_ones_own_may_stand_in_scenarios_and_their_files(tmp_path, monkeypatch):
    (tmp_path / "package.json").write_text('{ "type": "module" }')
    (tmp_path / "mine.js").write_text(
        """export default { name: "mine", source: "test", summary: "three packets", reads: [],
        params: [{ name: "packets", unit: "packets", low: 1, high: 9, default: 3, why: "few" }],
        native: ({ packets }) => ({ mssBytes }) => ({ name: "mine", cwndBytes: packets * mssBytes,
          pacingRateBytesPerSec: undefined, onAck() {}, onCongestion() {} }) };"""
    )
    (tmp_path / "beside.yaml").write_text("extends: park-paper\nflows: [{ algorithm: './mine.js:packets=2' }]\n")
    monkeypatch.chdir(tmp_path)
    options = {key: value for key, value in OPTIONS.items() if key != "scenario"}
    flows = [{"algorithm": "./mine.js"}]
    for scenario in ("beside.yaml", {"extends": "park-paper", "flows": flows}):
        with ccpark.CongestionControlEnv(scenario=scenario, **options) as env:
            env.reset(seed=1)
            assert env.step(env.action_space.sample())[4]["cwnd_bytes"] > 0
    missing = {"extends": "park-paper", "flows": [{"algorithm": "./nowhere.js"}]}
    with pytest.raises(ccpark.CcparkError, match=r"no module `./nowhere\.js`"):
        ccpark.CongestionControlEnv(scenario=missing).reset()


def test_the_command_and_its_function_run_what_the_package_carries(capfd):
    rows = ccpark.bench("park-paper", ["cubic", "vegas"], seeds=1, duration=1, metrics=["power = goodputMbps / 2"])
    assert [row["algorithm"] for row in rows] == ["cubic", "vegas"]
    assert rows[0]["metric.power"] == pytest.approx(rows[0]["goodputMbps"] / 2)
    with pytest.raises(ValueError, match="did you mean `cubic`"):
        ccpark.bench(algorithms="cubik")
