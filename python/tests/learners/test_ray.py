"""Environments in actors of Ray."""

from __future__ import annotations

import numpy as np
import pytest
import ray

import ccpark

OPTIONS = {"scenario": "park-paper", "duration_sec": 2, "step_ms": 20}


def start_ray():
    """A node has 30 s to come up, which Ray lets nobody change: a busy machine gets three tries."""
    for tries_left in (2, 1, 0):
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        except Exception as problem:
            ray.shutdown()
            if tries_left == 0 or "timed out during startup" not in str(problem):
                raise
        else:
            return


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_an_environment_travels_to_an_actor_and_gives_the_same_bytes_there():
    env = ccpark.make_vec(2, **OPTIONS)

    class Runner:
        def __init__(self, envs):
            self.envs = envs

        def run(self, seed):
            import os

            first, _ = self.envs.reset(seed=seed)
            return first.tobytes(), os.getpid(), self.envs._session._connection.local.pid

    start_ray()
    try:
        actors = [ray.remote(Runner).remote(env) for _ in range(2)]
        results = ray.get([actor.run.remote(9) for actor in actors])
    finally:
        ray.shutdown()
    first, _ = env.reset(seed=9)
    assert {bytes_ for bytes_, *_ in results} == {np.ascontiguousarray(first).tobytes()}
    assert len({pid for _, pid, _ in results}) == 2
    assert len({server for *_, server in results}) == 2
    env.close()
