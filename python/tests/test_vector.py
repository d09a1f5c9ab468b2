"""The vector environment and Gymnasium's rules: the three autoreset modes, seeds, masks, infos, pipelining."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as vector_wrappers

import ccpark

NAME = "ccpark/CongestionControl-v0"
MODES = list(AutoresetMode)
KEYS = ("report", "time_us", "rtt_us", "lost_packets", "clipped_actions")


def two_lengths(mode, **options):
    """Two environments that end after different numbers of steps, by their random steps of one round trip."""
    return ccpark.make_vec(2, autoreset_mode=mode, scenario="park-paper", duration_sec=1, **options)


@pytest.mark.parametrize("action", ["multiplicative", "indigo"])
@pytest.mark.parametrize("mode", MODES)
def test_it_is_gymnasiums_own_vector_bit_for_bit(mode, action):
    count = 3
    options = {"scenario": "park-paper", "duration_sec": 1, "info_keys": KEYS, "action": action}
    ours = ccpark.make_vec(count, autoreset_mode=mode, **options)
    theirs = SyncVectorEnv([lambda: ccpark.CongestionControlEnv(**options) for _ in range(count)], autoreset_mode=mode)
    assert ours.action_space == theirs.action_space
    ours.action_space.seed(3)
    left, right = ours.reset(seed=20), theirs.reset(seed=20)
    assert data_equivalence(left, right, exact=True)
    ends = 0
    for step in range(400):
        actions = ours.action_space.sample()
        left, right = ours.step(actions), theirs.step(actions)
        assert data_equivalence(left, right, exact=True), f"step {step}: {left} != {right}"
        ended = left[2] | left[3]
        ends += int(ended.sum())
        if mode is AutoresetMode.DISABLED and ended.any():
            left = ours.reset(options={"reset_mask": ended.copy()})
            right = theirs.reset(options={"reset_mask": ended.copy()})
            assert data_equivalence(left, right, exact=True), f"reset after step {step}"
    assert ends > 5
    ours.close()
    theirs.close()


def test_next_step_ignores_the_action_after_the_end_and_says_so(short):
    envs = ccpark.make_vec(2, max_episode_steps=5, **short)
    envs.reset(seed=1)
    high = envs.action_space.high
    for step in range(1, 13):
        _, rewards, terminated, truncated, _ = envs.step(high)
        is_reset = step % 6 == 0
        assert truncated.tolist() == [step % 6 == 5] * 2
        assert not terminated.any()
        assert (rewards == 0).all() == is_reset
        assert envs.reset_rows.tolist() == [is_reset] * 2
    envs.close()


def test_same_step_hands_out_the_last_observation_beside_the_first(short):
    envs = ccpark.make_vec(2, autoreset_mode="SameStep", max_episode_steps=3, info_keys=KEYS, **short)
    first, _ = envs.reset(seed=1)
    for _ in range(2):
        _, _, _, truncated, infos = envs.step(envs.action_space.high)
        assert "final_obs" not in infos
    observations, _, _, truncated, infos = envs.step(envs.action_space.high)
    assert truncated.all()
    assert infos["_final_obs"].tolist() == [True, True]
    assert infos["final_info"]["cc_episode"]["length"].tolist() == [3, 3]
    assert infos["final_info"]["time_us"][0] > infos["time_us"][0] == 0
    assert not np.array_equal(infos["final_obs"][0], observations[0])
    assert np.array_equal(observations[0], first[0])  # nothing has been seen yet
    envs.close()


def test_disabled_wants_a_reset_of_those_that_ended(short):
    envs = ccpark.make_vec(3, autoreset_mode=AutoresetMode.DISABLED, max_episode_steps=4, **short)
    envs.reset(seed=1)
    for _ in range(4):
        last, _, _, truncated, _ = envs.step(envs.action_space.high)
    assert truncated.all()
    with pytest.raises(gymnasium.error.ResetNeeded):
        envs.step(envs.action_space.high)
    mask = np.array([True, False, True])
    observations, _ = envs.reset(options={"reset_mask": mask})
    assert np.array_equal(observations[1], last[1])
    assert not np.array_equal(observations[0], last[0])
    with pytest.raises(gymnasium.error.ResetNeeded, match="row 1"):
        envs.step(envs.action_space.high)
    envs.reset(options={"reset_mask": ~mask})
    envs.step(envs.action_space.high)
    envs.close()


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        ([True, False], TypeError),
        (np.array([1, 0]), TypeError),
        (np.array([True]), ValueError),
        (np.array([False, False]), ValueError),
    ],
)
def test_a_bad_mask_is_refused(short, mask, problem):
    envs = ccpark.make_vec(2, autoreset_mode="Disabled", **short)
    with pytest.raises(problem, match="reset_mask"):
        envs.reset(options={"reset_mask": mask})
    envs.close()


def test_seeds_of_a_vector(short):
    envs = ccpark.make_vec(3, info_keys=["seed"], **short)
    assert envs.reset(seed=7)[1]["seed"].tolist() == [7, 8, 9]
    assert envs.np_random_seed == 7
    assert envs.reset(seed=[5, 1, 2**40])[1]["seed"].tolist() == [5, 1, 2**40]
    again = [envs.reset(seed=7)[1]["seed"].tolist(), envs.reset()[1]["seed"].tolist()]
    assert again == [envs.reset(seed=7)[1]["seed"].tolist(), envs.reset()[1]["seed"].tolist()]
    with pytest.raises(ValueError, match="num_envs"):
        envs.reset(seed=[1, 2])
    with pytest.raises(gymnasium.error.Error, match="Seed"):
        envs.reset(seed=-1)
    with pytest.raises(ValueError, match="seed"):
        envs.reset(seed=[1, None, 2])
    envs.close()


def test_one_environment_is_the_same_in_any_company(short):
    rng = np.random.default_rng(1)
    actions = rng.uniform(-1, 1, (150, 8, 1)).astype(np.float32)
    many, one = ccpark.make_vec(8, **short), ccpark.make_vec(1, **short)
    many.reset(seed=100)
    one.reset(seed=103)
    for batch in actions:
        all_of_them, alone = many.step(batch), one.step(batch[3:4])
        for left, right in zip(all_of_them[:4], alone[:4], strict=True):
            assert left[3:4].tobytes() == right.tobytes()
    many.close()
    one.close()


def test_through_gymnasiums_registry(short):
    envs = gymnasium.make_vec(NAME, num_envs=2, vectorization_mode="vector_entry_point", **short)
    assert isinstance(envs, ccpark.CongestionControlVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert envs.observation_space.shape == (2, *envs.single_observation_space.shape)
    envs.close()
    envs.close()


def test_arrays_are_the_callers_and_have_gymnasiums_types(short):
    envs = ccpark.make_vec(2, **short)
    observations, _ = envs.reset(seed=1)
    kept = observations.copy()
    results = envs.step(envs.action_space.high)
    assert np.array_equal(observations, kept)
    assert [array.dtype.name for array in results[:4]] == ["float32", "float64", "bool", "bool"]
    assert all(array.flags.writeable for array in results[:4])
    envs.close()


def test_several_steps_may_be_on_their_way(short):
    rng = np.random.default_rng(5)
    actions = rng.uniform(-1, 1, (40, 2, 1)).astype(np.float32)
    plain, deep = ccpark.make_vec(2, **short), ccpark.make_vec(2, **short)
    plain.reset(seed=1)
    deep.reset(seed=1)
    expected = [plain.step(batch) for batch in actions]
    deep.send(actions[0])
    for index, batch in enumerate(actions):
        if index + 1 < len(actions):
            deep.send(actions[index + 1])
        assert data_equivalence(deep.recv(), expected[index], exact=True), (index, batch)
    with pytest.raises(gymnasium.error.NoAsyncCallError):
        deep.recv()
    for _ in range(deep.max_in_flight):
        deep.send(actions[0])
    with pytest.raises(ccpark.CcparkError, match="wait"):
        deep.send(actions[0])
    with pytest.raises(gymnasium.error.AlreadyPendingCallError):
        deep.reset()
    plain.close()
    deep.close()


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (np.zeros((3, 1)), "shape"),
        (np.zeros(2), "shape"),
        (np.array([[0], [np.nan]]), "row 1"),
        (np.array([[0], [np.inf]]), "row 1"),
    ],
)
def test_bad_actions_are_value_errors_and_change_nothing(short, actions, said):
    envs, other = ccpark.make_vec(2, **short), ccpark.make_vec(2, **short)
    envs.reset(seed=1)
    other.reset(seed=1)
    with pytest.raises(ValueError, match=said):
        envs.step(actions)
    assert data_equivalence(envs.step(envs.action_space.high), other.step(envs.action_space.high), exact=True)
    envs.close()
    other.close()


def test_action_policy_clips_and_counts_or_refuses(short):
    clip = ccpark.make_vec(1, info_keys=["clipped_actions"], **short)
    clip.reset(seed=1)
    assert clip.step(np.full((1, 1), 5.0))[4]["clipped_actions"].tolist() == [1.0]
    clip.close()
    reject = ccpark.make_vec(1, action_policy="reject", **short)
    reject.reset(seed=1)
    with pytest.raises(ValueError, match="outside"):
        reject.step(np.full((1, 1), 5.0))
    reject.close()


@pytest.mark.parametrize(
    "wrap",
    [
        vector_wrappers.RecordEpisodeStatistics,
        vector_wrappers.NormalizeObservation,
        vector_wrappers.NormalizeReward,
        lambda envs: vector_wrappers.ClipReward(envs, -1, 1),
        vector_wrappers.DictInfoToList,
    ],
)
def test_gymnasiums_vector_wrappers_work_unmodified(short, wrap):
    envs = wrap(ccpark.make_vec(2, **short))
    envs.reset(seed=1)
    for _ in range(250):
        infos = envs.step(envs.action_space.sample())[4]
        if isinstance(envs, vector_wrappers.RecordEpisodeStatistics) and "episode" in infos:
            ended = infos["_episode"]
            assert (infos["episode"]["l"] == infos["cc_episode"]["length"])[ended].all()
    envs.close()


@pytest.mark.parametrize("count", ["8", 2.5, 0, True, 2**32])
@pytest.mark.parametrize("option", ["num_envs", "max_episode_steps"])
def test_a_count_that_is_no_positive_whole_number_is_named(short, option, count):
    with pytest.raises(ValueError, match=f"^{option}: got {count!r}, expected a whole number from 1"):
        ccpark.make_vec(**{"num_envs": 2, option: count}, **short)


@pytest.mark.parametrize("seed", [2**53, 2**64, [1, 2**64]])
def test_a_seed_too_large_is_named(short, seed):
    envs = ccpark.make_vec(2, **short)
    with pytest.raises(ValueError, match=r"^seed: got [0-9]+, expected a whole number from 0"):
        envs.reset(seed=seed)
    envs.reset(seed=[2**53 - 1, 0])
    envs.close()


def test_another_librarys_name_for_an_argument_is_answered_with_ours(short):
    with pytest.raises(TypeError, match="unknown option `n_envs`: did you mean `num_envs`"):
        ccpark.make_vec(2, n_envs=3, **short)
