"""Environments on real packets: they take the time that they say."""

from __future__ import annotations

import os
import sys
import time

import numpy as np
import pytest

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


def why_no_links() -> str | None:
    """As `ccpark doctor` says of real links: Linux, and root. In CI they run, whatever comes of it."""
    if os.environ.get("CI") == "true":
        return None
    if sys.platform != "linux" or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "real links need Linux and /dev/net/tun"
    return None if os.geteuid() == 0 else "network namespaces need root"


@pytest.mark.skipif(why_no_links() is not None, reason=why_no_links() or "")
@pytest.mark.parametrize("testbed", ["emulated", "linux:pacing", "linux"])
def test_real_links_run_an_episode_behind_the_same_interface(testbed: str) -> None:
    env = ccpark.CongestionControlEnv(
        info_keys=["rtt_us", "delivered_bytes", "cwnd_bytes"],
        scenario="park-paper",
        duration_sec=1.5,
        testbed=testbed,
    )
    try:
        for seed in (1, 2):  # a reset makes namespaces, link and flow anew
            env.reset(seed=seed)
            delivered, rtts_us, truncated = 0.0, [], False
            while not truncated:
                action = np.full(env.action_space.shape, 0.2, np.float32)
                observation, reward, terminated, truncated, info = env.step(action)
                assert np.all(np.isfinite(observation))
                assert np.isfinite(reward)
                assert not terminated
                delivered += info["delivered_bytes"]
                rtts_us.append(info["rtt_us"])
            assert delivered > 50_000
            # the link's own 50 ms, and what waits
            assert 50_000 < np.median(rtts_us) < 400_000
    finally:
        env.close()
