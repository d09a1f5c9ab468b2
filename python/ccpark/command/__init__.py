"""The command line of ccpark, which the package carries, and its `bench` as a function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from ccpark.errors import CcparkError
from ccpark.local_server import node_program


def main() -> None:
    """The console script `ccpark`: this process becomes Node."""
    try:
        command = [*node_program(), *sys.argv[1:]]
    except CcparkError as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
    if os.name == "posix":
        os.execvp(command[0], command)
    sys.exit(subprocess.run(command, check=False).returncode)


def bench(
    scenario: str | Sequence[str] = "park-paper",
    algorithms: str | Sequence[str] = ("cubic", "vegas", "bbr", "reno"),
    *,
    seeds: int = 3,
    duration: float | None = None,
    reward: str | None = None,
    metrics: Sequence[str] = (),
    trace: str | None = None,
    arguments: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """`ccpark bench`: one dict per scenario, algorithm and seed, with `goodputMbps`, `score` and so on.

    Args:
        scenario: presets, grids or files.
        algorithms: contenders: names, `./mine.js` or `onnx:policy.onnx`.
        seeds: runs seeds 1 to this number.
        duration: virtual seconds per run; None: the scenario's own.
        reward: by name or formula.
        metrics: formulas, such as "power = goodputMbps / meanQueueDelayMs"; a dict has them as "metric.power".
        trace: a trace file or shipped name, for scenarios that take one.
        arguments: further options of the command, such as ["--set", "link.rateMbps=24"].

    Raises:
        CcparkError: Node is missing.
        ValueError: what the command refuses, in its words.
    """
    words = ["bench", "--json", "--quiet", "--seeds", str(seeds)]
    for option, names in (("--scenario", scenario), ("--algorithms", algorithms)):
        words += [option, names if isinstance(names, str) else ",".join(names)]
    for option, value in (("--duration", duration), ("--reward", reward), ("--trace", trace)):
        words += [] if value is None else [option, str(value)]
    for metric in metrics:
        words += ["--metric", metric]
    done = subprocess.run([*node_program(), *words, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip().removeprefix("error: "))
    return [json.loads(line) for line in done.stdout.splitlines()]
