"""Environments on real packets: they take the time that they say."""

from __future__ import annotations

import time

import numpy as np

import ccpark

REAL = {"scenario": "park-paper", "duration_sec": 0.8, "step_ms": 20, "testbed": "udp"}


def test_an_episode_of_real_packets_takes_its_time_and_ends() -> None:
    env = ccpark.CongestionControlEnv(
        info_keys=["time_us", "action_late_us", "missed_reports", "delivered_bytes"], **REAL
    )
    try:
        env.reset(seed=1)
        began = time.monotonic()
        delivered, late_us, truncated = 0.0, [], False
        while not truncated:
            _, reward, terminated, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
            assert np.isfinite(reward)
            assert not terminated
            delivered += info["delivered_bytes"]
            late_us.append(info["action_late_us"])
        assert 0.7 < time.monotonic() - began < 10
        assert delivered > 100_000
        # a step over the service costs some hundred microseconds, which virtual time would not show
        assert min(late_us) > 0
    finally:
        env.close()


def test_virtual_time_is_the_default_and_waits_for_the_agent() -> None:
    env = ccpark.CongestionControlEnv(
        scenario="park-paper", duration_sec=0.8, info_keys=["action_late_us", "missed_reports"]
    )
    try:
        env.reset(seed=1)
        time.sleep(0.05)
        info = env.step(np.zeros(env.action_space.shape, np.float32))[4]
        assert info["action_late_us"] == 0
        assert info["missed_reports"] == 0
    finally:
        env.close()
