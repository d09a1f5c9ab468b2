"""Scenario files and traces of this machine, by the paths that the command line takes."""

from __future__ import annotations

import gzip
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import ccpark

TRACE = "".join(f"{ms}\n" for ms in range(1, 2001))
LINK = {"rttMs": 40, "durationSec": 1}
QUEUE = {"packets": 100}


def observations(env: gymnasium.Env) -> np.ndarray:
    env.reset(seed=1)
    steps = [env.step(np.full(env.action_space.shape, 0.2, np.float32))[0] for _ in range(8)]
    env.close()
    return np.array(steps)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "own.trace").write_text(TRACE)
    (tmp_path / "own.trace").write_text(TRACE)
    (tmp_path / "own.trace.gz").write_bytes(gzip.compress(TRACE.encode()))
    (tmp_path / "links" / "link.yaml").write_text(
        "rttMs: 40\ndurationSec: 1\nforward: { rate: { kind: trace, file: own.trace }, queue: { packets: 100 } }\n"
    )
    (tmp_path / "link.yaml").write_text("extends: links/link.yaml\n")
    (tmp_path / "cell.json").write_text('{"extends": "ccp-cell", "trace": "./links/own.trace", "durationSec": 1}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_trace_of_ones_own_is_taken_in_every_form(folder: Path) -> None:
    def by(rate: object) -> object:
        return {"forward": {"rate": rate, "queue": QUEUE}, **LINK}

    forms = [
        by({"kind": "trace", "name": "own.trace", "opportunitiesMs": list(range(1, 2001))}),
        by({"kind": "trace", "file": "own.trace"}),
        by({"kind": "trace", "file": folder / "links" / "own.trace"}),
        by({"kind": "trace", "file": "own.trace.gz"}),
        "link.yaml",
        "./links/../link.yaml",
        folder / "links" / "link.yaml",
        {"extends": "link.yaml"},
    ]
    taken = [observations(ccpark.CongestionControlEnv(scenario=form)) for form in forms]
    for each in taken[1:]:
        np.testing.assert_array_equal(each, taken[0])


def test_a_preset_that_takes_a_trace_takes_ones_own(folder: Path) -> None:
    forms = [
        {"scenario": "ccp-cell", "trace": "own.trace", "duration_sec": 1},
        {"scenario": "ccp-cell", "trace": folder / "own.trace", "duration_sec": 1},
        {"scenario": {"extends": "ccp-cell", "durationSec": 1}, "trace": "own.trace"},
        {"scenario": {"extends": "ccp-cell", "trace": "own.trace", "durationSec": 1}},
        {"scenario": "cell.json"},
    ]
    taken = [observations(ccpark.CongestionControlEnv(**form)) for form in forms]
    for each in taken[1:]:
        np.testing.assert_array_equal(each, taken[0])


def test_shipped_names_stay_names(folder: Path) -> None:
    for form in (
        {"scenario": {"forward": {"rate": {"kind": "trace", "file": "lte-driving"}, "queue": QUEUE}, **LINK}},
        {"scenario": {"extends": "ccp-cell", "durationSec": 1}, "trace": "lte-driving"},
    ):
        assert observations(ccpark.CongestionControlEnv(**form)).shape[0] == 8


def test_every_kind_of_environment_and_every_reset_takes_them(folder: Path) -> None:
    vector = ccpark.make_vec(2, scenario="link.yaml")
    vector.reset(seed=1)
    vector.close()
    flows = ccpark.parallel_env(scenario={"extends": "link.yaml", "flows": [{"id": "one", "algorithm": "test"}]})
    flows.reset(seed=1)
    flows.close()
    env = ccpark.CongestionControlEnv(scenario="park-paper")
    env.reset(seed=1, options={"scenario": {"extends": "link.yaml", "durationSec": 0.5}})
    ended = False
    while not ended:
        *_, ended, info = env.step(env.action_space.sample())
    assert info["cc_episode"]["sim_seconds"] == pytest.approx(0.5)
    env.close()


def test_what_is_not_there_is_one_sentence(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a file that is there"):
        ccpark.CongestionControlEnv(scenario="nowhere.yaml")
    with pytest.raises((ccpark.CcparkError, ValueError), match=r"nowhere\.trace"):
        ccpark.CongestionControlEnv(scenario="ccp-cell", trace="nowhere.trace")
    with pytest.raises((ccpark.CcparkError, ValueError), match=r"nowhere\.trace"):
        ccpark.CongestionControlEnv(
            scenario={"forward": {"rate": {"kind": "trace", "file": "nowhere.trace"}, "queue": QUEUE}, **LINK}
        )
