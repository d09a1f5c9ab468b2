"""The lines that a newcomer copies, as they stand in README: whatever the seed, they come to what README says."""

import re
from pathlib import Path

import pytest
import torch

import ccpark

ROOT = Path(__file__).resolve().parents[3]


def lines_of(page: str) -> str:
    """The first block of Python in it that trains."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return next(block for block in blocks if "PPO(" in block)


@pytest.mark.parametrize("page", ["docs/python.md", "python/README.md"])
def test_every_page_has_the_same_lines(page):
    assert lines_of(page) == lines_of("README.md")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_lines_learn_to_fill_the_link(seed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)  # the networks are small: threads would only wait for each other
    code = lines_of("README.md")
    assert code.count("seed=1,") == 2
    exec(code.replace("seed=1,", f"seed={seed},"), {"__name__": "__main__"})
    assert "onnx:policy" in capsys.readouterr().out
    (run,) = ccpark.bench("park-paper", "onnx:policy.onnx", seeds=1)
    print(f"seed {seed}: utilisation {run['utilisation']:.3f}, score {run['score']:.2f}")
    assert run["utilisation"] >= 0.95
    assert run["score"] > 17
