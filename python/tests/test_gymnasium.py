"""The single environment and Gymnasium's rules."""

from __future__ import annotations

import copy
import math
import pickle
import warnings

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils.env_checker import check_env

import ccpark

NAME = "ccpark/CongestionControl-v0"


def trajectory(env: gymnasium.Env, seed: int | None, steps: int = 40) -> list[object]:
    """Everything that a learner sees, with actions of its own generator."""
    rng = np.random.default_rng(7)
    seen: list[object] = [env.reset(seed=seed)]
    for _ in range(steps):
        action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        result = env.step(action)
        seen.append(result)
        if result[2] or result[3]:
            seen.append(env.reset())
    return seen


def same(left: object, right: object) -> bool:
    return pickle.dumps(left) == pickle.dumps(right)


@pytest.mark.parametrize("observation", ["standard"])
def test_check_env_has_no_complaint(short, observation):
    env = gymnasium.make(NAME, observation=observation, **short)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_choices_are_a_discrete_space_and_what_is_none_of_them_is_refused(short):
    env = gymnasium.make(NAME, action="indigo", **short)
    assert env.action_space == gymnasium.spaces.Discrete(5)
    check_env(env.unwrapped, skip_render_check=True)
    env.reset(seed=1)
    cwnd = [env.step(action)[4]["cwnd_bytes"] for action in (4, np.int64(2), np.array(0))]
    assert cwnd == [20 * 1448, 20 * 1448, 10 * 1448]
    for action in (5, -1):
        with pytest.raises(ValueError, match=f"none of the choices: got {action}"):
            env.unwrapped.step(action)
    for action in (0.5, np.float32(1), np.array([1])):
        with pytest.raises(ValueError, match="actions: got"):
            env.unwrapped.step(action)
    env.unwrapped.step(1)
    env.close()


@pytest.mark.parametrize("render_mode", ["ansi", "rgb_array"])
def test_check_env_has_no_complaint_about_rendering(short, render_mode):
    env = gymnasium.make(NAME, render_mode=render_mode, **short)
    check_env(env.unwrapped)
    env.reset(seed=1)
    env.step(env.action_space.sample())
    picture = env.render()
    if render_mode == "ansi":
        assert isinstance(picture, str)
        assert picture
    else:
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
    env.close()


def test_park_spaces_keep_parks_units_and_draw_only_the_expected_warnings(short):
    env = gymnasium.make(NAME, observation="park-14", action="absolute", **short)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        check_env(env.unwrapped, skip_render_check=True)
    (text,) = {str(warning.message) for warning in warned}
    assert "symmetric and normalized" in text  # Park's actions are packets and bytes per second
    env.close()


def test_types_are_pythons_own_and_info_has_no_clock(short):
    with ccpark.CongestionControlEnv(**short) as env:
        observation, info = env.reset(seed=3)
        assert observation.dtype == np.float32
        assert {type(value) for value in info.values()} <= {bool, float, int}
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert type(reward) is float
        assert type(terminated) is bool
        assert type(truncated) is bool
        assert observation.flags.writeable
        assert "rtt_us" in info
        assert "cc_episode" not in info


def test_observations_are_the_callers(short):
    env = ccpark.CongestionControlEnv(**short)
    first, _ = env.reset(seed=3)
    kept = first.copy()
    env.step(env.action_space.high)
    assert np.array_equal(first, kept)
    env.close()


def test_an_episode_is_told_on_its_last_step_only(short):
    env = ccpark.CongestionControlEnv(**short)
    env.reset(seed=11)
    total, steps, ended = 0.0, 0, False
    while not ended:
        _, reward, terminated, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
        total, steps, ended = total + reward, steps + 1, terminated or truncated
        assert ("cc_episode" in info) == ended
    episode = info["cc_episode"]
    assert truncated
    assert not terminated
    assert (episode["length"], episode["seed"], episode["episode_index"]) == (steps, 11, 0)
    assert math.isclose(episode["episode_return"], total)
    assert episode["metrics"]["goodput_mbps"] > 0
    env.close()


def test_step_before_reset_and_after_the_end_needs_a_reset(short):
    env = ccpark.CongestionControlEnv(**short)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(env.action_space.sample())
    env.reset(seed=1)
    while not env.step(env.action_space.sample())[3]:
        pass
    with pytest.raises(gymnasium.error.ResetNeeded, match="reset"):
        env.step(env.action_space.sample())
    env.reset()
    env.step(env.action_space.sample())
    env.close()


def test_equal_seeds_give_equal_bytes_and_the_sequence_goes_on(short):
    one, two = (gymnasium.make(NAME, **short) for _ in range(2))
    assert same(trajectory(one, 5, 250), trajectory(two, 5, 250))
    assert not same(trajectory(one, 6), trajectory(two, 5))
    one.close()
    two.close()


def test_the_first_unseeded_reset_draws_from_np_random(short):
    env = ccpark.CongestionControlEnv(**short)
    env.reset()
    assert env.np_random_seed is not None
    env.np_random = np.random.default_rng(1)
    env.close()
    seeds = []
    for _ in range(2):
        env = ccpark.CongestionControlEnv(info_keys=["seed"], **short)
        seeds.append(env.reset()[1]["seed"])
        env.close()
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("seed", [-1, 1.5, "1"])
def test_a_seed_that_is_no_whole_number_is_refused(short, seed):
    env = ccpark.CongestionControlEnv(**short)
    with pytest.raises(gymnasium.error.Error, match="Seed"):
        env.reset(seed=seed)
    env.close()


def test_a_seed_too_large_is_a_value_error(short):
    env = ccpark.CongestionControlEnv(**short)
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=2**53)
    env.reset(seed=2**53 - 1)
    env.close()


def test_a_scenario_made_faster_than_its_acks_can_follow_is_noted(recwarn):
    forward = {"forward": {"rate": {"kind": "constant", "mbps": 10_000}}}
    for scenario, notes in (("park-paper", 0), ({"extends": "park-paper", **forward}, 1)):
        env = ccpark.CongestionControlEnv(scenario=scenario, duration_sec=1)
        env.reset(seed=1)
        env.close()
        said = [str(each.message) for each in recwarn if "ACK direction" in str(each.message)]
        assert len(said) == notes
    assert "the ACK direction is the bottleneck" in said[0]


def test_a_scenario_may_be_an_object_and_another_one_for_one_episode(short):
    scenario = {"extends": "park-paper", "durationSec": 1}
    env = ccpark.CongestionControlEnv(scenario=scenario, step_ms=20)
    env.reset(seed=1, options={"scenario": {"extends": "park-paper", "durationSec": 0.5}})
    lengths = []
    for _ in range(2):
        length = 1
        while not env.step(env.action_space.sample())[3]:
            length += 1
        lengths.append(length)
        env.reset()
    assert lengths[0] < lengths[1]
    env.close()


@pytest.mark.parametrize("mtu", [576, 9000])
def test_the_size_of_packets_is_the_scenarios(mtu):
    scenario = {"extends": "park-paper", "durationSec": 1, "mtuBytes": mtu}
    with ccpark.CongestionControlEnv(scenario=scenario, step_ms=20, action="indigo") as env:
        env.reset(seed=1)
        # the choice 4 doubles the ten packets of the beginning
        assert env.step(4)[4]["cwnd_bytes"] == 20 * (mtu - 52)


def test_close_twice_is_fine_and_what_comes_after_it_says_so(short):
    env = gymnasium.make(NAME, **short)
    env.reset(seed=1)
    env.close()
    env.close()
    with pytest.raises(gymnasium.error.ClosedEnvironmentError):
        env.reset()


@pytest.mark.parametrize("through", ["pickle", "cloudpickle", "deepcopy"])
def test_a_copy_has_a_session_of_its_own(short, through):
    env = ccpark.CongestionControlEnv(**short)
    before = trajectory(env, 3)
    if through == "deepcopy":
        other = copy.deepcopy(env)
    else:
        module = pickle if through == "pickle" else cloudpickle
        other = module.loads(module.dumps(env))
    assert other._session is None
    assert other.observation_space == env.observation_space
    assert same(trajectory(other, 3), before)
    assert same(trajectory(env, 3), before)
    env.close()
    other.close()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: wrappers.TimeLimit(env, 30),
        wrappers.OrderEnforcing,
        wrappers.PassiveEnvChecker,
        wrappers.RecordEpisodeStatistics,
        wrappers.Autoreset,
        wrappers.ClipAction,
        lambda env: wrappers.RescaleAction(env, np.float32(-2), np.float32(2)),
        wrappers.NormalizeObservation,
        wrappers.NormalizeReward,
        lambda env: wrappers.FrameStackObservation(env, 4),
        wrappers.FlattenObservation,
        lambda env: wrappers.TimeAwareObservation(wrappers.TimeLimit(env, 30)),
        lambda env: wrappers.DelayObservation(env, 2),
    ],
)
def test_gymnasiums_wrappers_work_unmodified(short, wrap):
    env = wrap(ccpark.CongestionControlEnv(**short))
    env.reset(seed=1)
    for _ in range(150):
        observation, _, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(np.asarray(observation, env.observation_space.dtype))
        if terminated or truncated:
            if isinstance(env, wrappers.RecordEpisodeStatistics):
                assert info["episode"]["l"] == info["cc_episode"]["length"]
            if not isinstance(env, wrappers.Autoreset):
                env.reset()
    env.close()


def test_a_collection_of_pictures_for_a_video(short):
    env = gymnasium.make(NAME, render_mode="rgb_array", **short)
    env = wrappers.RenderCollection(env)
    env.reset(seed=1)
    env.step(env.action_space.sample())
    assert len(env.render()) == 2
    env.close()
