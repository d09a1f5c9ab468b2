"""The walk of docs/ten-minutes.md that is in Python, in a virtual environment of its own."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECTION = (ROOT / "docs" / "ten-minutes.md").read_text().split("## An RL researcher")[1].split("\n## ")[0]


@pytest.mark.timeout(900)
def test_a_learner_of_ones_own_in_a_clean_virtual_environment(tmp_path):
    first, program, last = re.findall(r"```(?:sh|python)\n(.*?)```", SECTION, re.DOTALL)
    make, install = first.strip().splitlines()
    assert make == "python3 -m venv .venv"
    subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=tmp_path, check=True)
    # the package anew; the gigabytes of learners are those of the environment that runs this test
    (site,) = (tmp_path / ".venv").glob("lib/python*/site-packages")
    (site / "learners.pth").write_text(sysconfig.get_paths()["purelib"])
    assert install.startswith(".venv/bin/pip install --quiet '../ccpark/python[onnx]'")
    pip = [*install.split()[:3], "--no-deps", "--no-build-isolation", "--force-reinstall", str(ROOT / "python")]
    subprocess.run(pip, cwd=tmp_path, check=True)
    assert (tmp_path / ".venv" / "bin" / "ccpark").exists()
    assert program.startswith("# mine.py\n")
    (tmp_path / "mine.py").write_text(program)
    said = ""
    for line in last.strip().splitlines():
        done = subprocess.run(line.split(), cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    promised = re.search(r"It prints `([\d,]+ steps)`", SECTION)[1]
    assert promised in said
    assert re.search(r"│ onnx:policy │", said)
    assert re.search(r"│ cubic +│", said)
