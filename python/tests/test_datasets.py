from __future__ import annotations

import json

import gymnasium
import numpy as np
import pytest

import ccpark
from ccpark import datasets

WIDTH = 3


@pytest.fixture
def folder(tmp_path):
    """Two episodes of 2 and 3 steps, as ``ccpark dataset`` writes them."""
    facts = {"link": "48 Mbit/s", "score": 1.0, "utilisation": 0.5, "meanQueueDelayMs": 2.0, "lossRate": 0.0}
    header = {
        "format": "ccpark-dataset",
        "version": 1,
        "command": "ccpark dataset",
        "env": {"observation": "standard", "action": "multiplicative", "reward": "score", "stepMs": "rtt"},
        "observationSpace": {
            "shape": [WIDTH],
            "names": ["a", "b", "c"],
            "low": [-1, -1, 0],
            "high": [1, 1, "Infinity"],
        },
        "actionSpace": {"shape": [1], "names": ["x"], "low": [-1], "high": [1]},
        "episodes": [
            {"algorithm": "cubic", "scenario": "park-paper", "seed": 1, "steps": 2, "episodeReturn": 1, **facts},
            {"algorithm": "bbr", "scenario": "park-paper", "seed": 2, "steps": 3, "episodeReturn": 9, **facts},
        ],
    }
    (tmp_path / "dataset.json").write_text(json.dumps(header))
    np.save(tmp_path / "observations.npy", np.arange(7 * WIDTH, dtype=np.float32).reshape(7, WIDTH) / 100)
    np.save(tmp_path / "actions.npy", np.linspace(-1, 1, 5, dtype=np.float32).reshape(5, 1))
    np.save(tmp_path / "rewards.npy", np.arange(5, dtype=np.float64))
    return tmp_path


def test_episodes_have_one_observation_more_than_steps(folder):
    data = datasets.load(folder)
    assert data.steps == 5
    first, second = data
    assert first.observations[:, 0].tolist() == pytest.approx([0, 0.03, 0.06])
    assert second.observations[:, 0].tolist() == pytest.approx([0.09, 0.12, 0.15, 0.18])
    assert first.rewards.tolist() == [0, 1]
    assert second.actions[:, 0].tolist() == pytest.approx([0, 0.5, 1])
    assert data.observation_space.high.tolist() == [1, 1, np.inf]


def test_refuses_arrays_that_do_not_fit(folder):
    np.save(folder / "rewards.npy", np.zeros(4))
    with pytest.raises(ValueError, match="got 4 rows, expected 5"):
        datasets.load(folder)
    (folder / "dataset.json").write_text('{"format": "other"}')
    with pytest.raises(ValueError, match="expected ccpark-dataset 1"):
        datasets.load(folder)


def test_says_how_gymnasium_makes_the_environment(folder):
    spec = datasets.load(folder).env_spec()
    assert spec.id == "ccpark/CongestionControl-v0"
    assert spec.kwargs["scenario"] == "park-paper"
    assert spec.kwargs["observation"] == "standard"
    assert spec.kwargs["step_ms"] == "rtt"


@pytest.mark.filterwarnings("ignore::UserWarning:minari")  # what a dataset that is published should say
def test_becomes_a_dataset_of_minari(folder, tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    made = ccpark.datasets.to_minari(folder, "ccpark/test-v0")
    read = minari.load_dataset("ccpark/test-v0")
    assert (made.total_steps, read.total_steps, read.total_episodes) == (5, 5, 2)
    assert read.env_spec.id == "ccpark/CongestionControl-v0"
    assert isinstance(read.spec.observation_space, gymnasium.spaces.Box)
    second = list(read.iterate_episodes())[1]
    assert second.observations.shape == (4, WIDTH)
    assert second.truncations.tolist() == [False, False, True]
    assert not second.terminations.any()
