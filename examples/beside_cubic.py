"""What the examples have in common: their options, and a learned policy measured in Python and by ``ccpark bench``."""

import argparse
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import ccpark  # registers the environments
import gymnasium
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

CCPARK = ["node", str(Path(__file__).resolve().parents[1] / "dist" / "cli" / "main.js")]


def make_parser(description: str | None, name: str, steps: int = 200_000) -> argparse.ArgumentParser:
    """Options of every learner; an example may add its own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=steps, help="environment steps in all")
    parser.add_argument("--seed", type=int, default=1, help="of the training")
    parser.add_argument("--scenario", default="park-paper", help="preset to train and to compare on")
    parser.add_argument("--out", type=Path, default=Path("runs") / name, help="folder for the policy")
    parser.add_argument("--seeds", type=int, default=5, help="episodes of the comparison")
    return parser


def score_in_python(act: Callable[[Array], Array], scenario: str, seeds: int) -> float:
    """Mean score of whole episodes with seeds 1 to ``seeds``, through the service."""
    env = gymnasium.make("ccpark/CongestionControl-v0", scenario=scenario)
    scores = []
    for seed in range(1, seeds + 1):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            observation, _, terminated, truncated, info = env.step(act(observation))
            over = terminated or truncated
        scores.append(info["cc_episode"]["metrics"]["score"])
    env.close()
    return float(np.mean(scores))


def compare(act: Callable[[Array], Array], policy: Path, scenario: str, seeds: int) -> None:
    """Prints the score of a policy in Python, and the table of ``ccpark bench`` with its ONNX file beside Cubic."""
    words = ["bench", "--scenario", scenario, "--algorithms", f"cubic,onnx:{policy}", "--seeds", str(seeds)]
    print(f"$ ccpark {' '.join(words)}")
    lines = subprocess.run([*CCPARK, *words, "--json", "--quiet"], check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    print(f"{'':24}{'goodput':>16}{'queueing delay':>18}{'loss':>9}{'score':>8}")
    for name in dict.fromkeys(row["algorithm"] for row in rows):
        mine = [row for row in rows if row["algorithm"] == name]
        goodput, delay, loss, score = (
            np.mean([row[key] for row in mine]) for key in ("goodputMbps", "meanQueueDelayMs", "lossRate", "score")
        )
        print(f"{name:24}{goodput:9.2f} Mbit/s{delay:15.2f} ms{loss:9.2%}{score:8.3f}")
    print(f"{'in Python':24}{score_in_python(act, scenario, seeds):51.3f}  (ccpark {ccpark.__version__})")
