"""The same bytes as in the TypeScript environment; the recipe is at the top of test/grpc/trajectory.ts."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from dropping_proxy import Proxy
from gymnasium.vector import AutoresetMode

import ccpark
from ccpark.local_server import shared_server

CLONE = Path(__file__).resolve().parents[2]
NAMES = {
    AutoresetMode.NEXT_STEP: "next-step",
    AutoresetMode.SAME_STEP: "same-step",
    AutoresetMode.DISABLED: "disabled",
}
NUM_ENVS, SEED, STEPS = 2, 7, 10_000


def draws(space, count, seed):
    """Actions of a linear congruential generator, so that every language has them."""
    x = seed % 2**32
    low, high = (bound.astype(np.float64) for bound in (space.low, space.high))
    while True:
        actions = np.empty((count, *space.shape), np.float32)
        for row in range(count):
            for column in range(space.shape[0]):
                x = (1664525 * x + 1013904223) % 2**32
                actions[row, column] = low[column] + (high[column] - low[column]) * (x / 2**32)
        yield actions


@pytest.mark.skipif(not (CLONE / "node_modules" / "tsx").exists(), reason="needs the clone's node_modules")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_ten_thousand_steps_over_ends_losses_and_a_reconnect_are_equal_bytes(mode):
    proxy = Proxy(shared_server().address)
    envs = ccpark.make_vec(
        NUM_ENVS,
        autoreset_mode=mode,
        address=proxy.address,
        scenario="park-paper",
        duration_sec=3,
        step_ms=10,
    )
    digest = hashlib.sha256()
    observations, _ = envs.reset(seed=SEED)
    digest.update(observations.tobytes())
    ends = 0
    source = draws(envs.single_action_space, NUM_ENVS, SEED)
    for step in range(STEPS):
        if step == STEPS // 2:
            proxy.drop()
        observations, rewards, terminated, truncated, infos = envs.step(next(source))
        for array in (observations, rewards, terminated, truncated):
            digest.update(array.tobytes())
        ended = terminated | truncated
        ends += int(ended.sum())
        if mode is AutoresetMode.SAME_STEP and ended.any():
            for last in infos["final_obs"][ended]:
                digest.update(last.tobytes())
        if mode is AutoresetMode.DISABLED and ended.any():
            observations, _ = envs.reset(options={"reset_mask": ended})
            digest.update(observations.tobytes())
    envs.close()
    proxy.close()
    assert ends > 20
    plan = {
        "kwargs": {"scenario": "park-paper", "durationSec": 3, "stepMs": 10},
        "numEnvs": NUM_ENVS,
        "seed": SEED,
        "mode": NAMES[mode],
        "steps": STEPS,
    }
    here = subprocess.run(
        ["node", "--import", "tsx", "test/grpc/trajectory.ts", json.dumps(plan)],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert digest.hexdigest() == here.stdout.strip()
