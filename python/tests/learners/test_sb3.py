"""Stable-Baselines3 and its rules."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize

import ccpark
import ccpark.sb3

SHORT = {"scenario": "park-paper", "duration_sec": 2, "step_ms": 20}


def make_env():
    return gymnasium.make("ccpark/CongestionControl-v0", **SHORT)


def test_check_env_has_no_complaint():
    with ccpark.CongestionControlEnv(**SHORT) as env:
        check_env(env, warn=True)


def test_parks_spaces_draw_only_the_expected_warning():
    env = ccpark.CongestionControlEnv(observation="park-14", action="absolute", **SHORT)
    with pytest.warns(UserWarning, match="symmetric and normalized"):
        check_env(env, warn=True)
    env.close()


def test_rows_that_end_hand_out_what_sb3_reads():
    envs = ccpark.sb3.make_vec_env(3, seed=5, **SHORT)
    first = envs.reset()
    assert first.dtype == np.float32
    ended = np.zeros(3, bool)
    total = np.zeros(3)
    for _ in range(400):
        observations, rewards, done, infos = envs.step(envs.action_space.high[None].repeat(3, 0))
        total += rewards
        for row in np.flatnonzero(done):
            info = infos[row]
            assert info["TimeLimit.truncated"] is True
            assert info["terminal_observation"].shape == observations[row].shape
            assert not np.array_equal(info["terminal_observation"], observations[row])
            assert info["episode"]["l"] == info["cc_episode"]["length"]
            assert info["episode"]["r"] == pytest.approx(total[row], rel=1e-4)
            total[row] = 0
        assert [bool(info) for info in infos] == done.tolist()
        ended |= done
        if ended.all():
            break
    assert rewards.dtype == np.float32
    assert ended.all()
    envs.close()
    envs.close()


def test_seeds_count_for_the_next_reset_only():
    envs = ccpark.sb3.make_vec_env(2, info_keys=["seed"], **SHORT)
    envs.seed(40)
    first = envs.reset()
    assert [info["seed"] for info in envs.reset_infos] == [40, 41]
    envs.reset()
    assert [info["seed"] for info in envs.reset_infos] != [40, 41]
    envs.seed(40)
    assert np.array_equal(envs.reset(), first)
    envs.close()


def test_options_reach_the_next_reset():
    envs = ccpark.sb3.make_vec_env(2, **SHORT)
    envs.set_options({"scenario": {"extends": "park-paper", "durationSec": 0.2}})
    envs.reset()
    lengths = [0, 0]
    for _ in range(30):
        _, _, done, infos = envs.step(np.zeros((2, *envs.action_space.shape), np.float32))
        for row in np.flatnonzero(done):
            lengths[row] = lengths[row] or infos[row]["cc_episode"]["length"]
    assert all(0 < length < 15 for length in lengths)
    envs.close()


def test_ppo_trains_normalises_evaluates_and_comes_back(tmp_path):
    envs = VecNormalize(ccpark.sb3.make_vec_env(4, seed=1, **SHORT))
    model = PPO("MlpPolicy", envs, n_steps=64, batch_size=64, n_epochs=2, seed=1, device="cpu")
    model.learn(1024)
    assert len(model.ep_info_buffer) > 0
    mean, spread = evaluate_policy(model, envs, n_eval_episodes=4, return_episode_rewards=False)
    assert np.isfinite([mean, spread]).all()
    model.save(tmp_path / "policy.zip")
    again = PPO.load(tmp_path / "policy.zip", env=envs, device="cpu")
    observation = envs.reset()
    assert np.array_equal(
        again.predict(observation, deterministic=True)[0], model.predict(observation, deterministic=True)[0]
    )
    envs.close()


def test_processes_of_sb3_have_servers_of_their_own():
    envs = SubprocVecEnv([make_env] * 2)
    observations = envs.reset()
    assert observations.shape == (2, *envs.observation_space.shape)
    for _ in range(3):
        envs.step(np.zeros((2, *envs.action_space.shape), np.float32))
    envs.close()
