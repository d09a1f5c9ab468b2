"""Short forms of the examples, as a user runs them; needs a clone that is built."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [
    pytest.mark.skipif(not (ROOT / "dist" / "cli" / "main.js").exists(), reason="`npm run build` has not run"),
    pytest.mark.timeout(900),
]


def output_of(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "RAY_DEDUP_LOGS": "0"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("example", "library"), [("sb3_ppo", "stable_baselines3"), ("cleanrl_ppo", "torch"), ("rllib_ppo", "ray")]
)
def test_a_learner_trains_and_its_policy_scores_alike_in_python_and_in_bench(example, library, tmp_path):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    out = output_of(
        sys.executable,
        str(ROOT / "examples" / f"{example}.py"),
        *("--steps", "2048", "--seeds", "1", "--out", str(tmp_path)),
        cwd=tmp_path,
    )
    last = r"\s+(-?[0-9.]+)"
    assert re.search(rf"^cubic .*{last}$", out, re.MULTILINE), out
    bench = float(re.search(rf"^onnx:.*{last}$", out, re.MULTILINE)[1])
    python = float(re.search(rf"^in Python{last} ", out, re.MULTILINE)[1])
    assert python == pytest.approx(bench, rel=0.01), out
    if example == "rllib_ppo":
        servers = re.findall(r"^server \d: node \w+ \(\S+\), actor pid (\d+), server pid (\d+)", out, re.MULTILINE)
        assert len(servers) == 2, out
        assert len({pid for pair in servers for pid in pair}) == 4, out


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
def test_a_client_in_go_steps_episodes_to_their_end():
    out = output_of("sh", "examples/go/run.sh", cwd=ROOT)
    assert len(re.findall(r"^environment \d: \d+ steps, score -?[0-9.]+$", out, re.MULTILINE)) >= 8, out
