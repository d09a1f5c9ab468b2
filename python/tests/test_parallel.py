"""Several flows and PettingZoo's rules."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from pettingzoo.test import parallel_api_test, parallel_seed_test

import ccpark


def episode(env, seed):
    """All steps of one episode, with the agents before each."""
    observations, infos = env.reset(seed=seed)
    seen = [(list(env.agents), observations, infos)]
    while env.agents:
        actions = {agent: np.zeros(env.action_space(agent).shape, np.float32) for agent in env.agents}
        seen.append((list(actions), *env.step(actions)))
    return seen


@pytest.mark.parametrize("action", ["multiplicative", "indigo"])
@pytest.mark.filterwarnings("ignore:.*par_env:UserWarning")
def test_pettingzoos_api_test_has_no_complaint(two_flows, action):
    env = ccpark.parallel_env(action=action, **two_flows)
    parallel_api_test(env, 1000)
    env.close()


def test_choices_are_discrete_spaces_and_what_is_none_of_them_is_refused(two_flows):
    env = ccpark.parallel_env(action="indigo", **two_flows)
    assert env.action_space("flow-0") == Discrete(5)
    env.reset(seed=1)
    for action, message in ((5, "none of the choices"), (0.5, "expected a whole number")):
        with pytest.raises(ValueError, match=message):
            env.step({"flow-0": action})
    env.step({"flow-0": 4})
    env.close()


def test_pettingzoos_seed_test_has_no_complaint(two_flows):
    parallel_seed_test(lambda: ccpark.parallel_env(**two_flows))


def test_flows_join_and_leave_and_never_come_back(two_flows):
    env = ccpark.parallel_env(**two_flows)
    assert env.possible_agents == ["flow-0", "late"]
    seen = episode(env, 3)
    alive = [agents for agents, *_ in seen]
    assert alive[0] == ["flow-0"]
    assert ["flow-0", "late"] in alive
    assert alive[-1] == ["flow-0"]
    terminated = [step[3] for step in seen[1:]]
    truncated = [step[4] for step in seen[1:]]
    assert sum(ends.get("late", False) for ends in terminated) == 1
    assert truncated[-1] == {"flow-0": True}
    assert not any(any(cut.values()) for cut in truncated[:-1])
    (told,) = [step[5]["late"]["cc_episode"] for step in seen[1:] if "cc_episode" in step[5].get("late", {})]
    assert told["length"] > 10
    env.close()


def test_dicts_hold_those_that_acted_and_those_that_joined(two_flows):
    env = ccpark.parallel_env(**two_flows)
    env.reset(seed=1)
    while env.agents:
        before = set(env.agents)
        results = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        for result in results:
            assert set(result) == before | set(env.agents)
        assert all(type(value) is float for value in results[1].values())
        assert all(type(value) is bool for flags in results[2:4] for value in flags.values())
    env.close()


def test_the_episode_goes_on_while_nobody_is_live():
    scenario = {
        "extends": "park-paper",
        "durationSec": 4,
        "application": {"kind": "finite", "bytes": 100_000},
        "flows": [{"id": "second", "algorithm": "test", "startSec": 3}],
    }
    env = ccpark.parallel_env(scenario=scenario)
    seen = episode(env, 1)
    assert [agents for agents, *_ in seen if not agents] == []
    (change,) = [step for step in seen[1:] if step[0] == ["flow-0"] and "second" in step[1]]
    assert change[3] == {"flow-0": True, "second": False}
    assert seen[-1][4] == {"second": True}
    env.close()


def test_equal_seeds_give_equal_episodes_and_a_copy_the_same(two_flows):
    env = ccpark.parallel_env(**two_flows)
    other = pickle.loads(pickle.dumps(env))
    assert pickle.dumps(episode(env, 5)) == pickle.dumps(episode(other, 5))
    assert pickle.dumps(episode(env, 5)) != pickle.dumps(episode(env, 6))
    env.close()
    other.close()


def test_the_state_is_one_vector_for_the_critic(two_flows):
    env = ccpark.parallel_env(**two_flows)
    env.reset(seed=1)
    assert env.state_space.contains(env.state())
    assert env.state().shape == (12,)
    env.step({agent: env.action_space(agent).sample() for agent in env.agents})
    assert env.state().any()
    env.close()


def test_actions_of_all_live_agents_and_of_no_other(two_flows):
    env = ccpark.parallel_env(**two_flows)
    env.reset(seed=1)
    with pytest.raises(ValueError, match="actions"):
        env.step({})
    with pytest.raises(ValueError, match="late"):
        env.step({agent: env.action_space(agent).sample() for agent in ("flow-0", "late")})
    env.close()


def test_rewards_may_be_shared(two_flows):
    env = ccpark.parallel_env(share="mean", **two_flows)
    for _, _, rewards, *_ in [step for step in episode(env, 1)[1:] if len(step[0]) == 2]:
        assert len(set(rewards.values())) == 1
    env.close()


def test_flows_of_a_scenario_that_is_drawn_are_named():
    flows = [{"id": "other", "algorithm": "test", "startSec": {"uniform": [0.5, 1]}}]
    scenario = {"extends": "park-paper", "durationSec": 2, "flows": flows}
    env = ccpark.parallel_env(scenario=scenario, possible_flows=["flow-0", "other"])
    assert env.possible_agents == ["flow-0", "other"]
    assert "other" in {agent for agents, *_ in episode(env, 1) for agent in agents}
    env.close()


@pytest.mark.parametrize(("scenario", "nodes"), [("ron-everyone-20", 20), ("overcast-60", 59)])
@pytest.mark.filterwarnings("ignore:.*par_env:UserWarning")
def test_an_overlay_of_many_nodes_has_an_agent_for_each_with_a_choice_beside_its_rate(scenario, nodes):
    overlay = {"scenario": scenario, "action": "overlay", "duration_sec": 3}
    env = ccpark.parallel_env(**overlay)
    assert len(env.possible_agents) == nodes
    assert all(env.action_space(agent).shape == (2,) for agent in env.possible_agents)
    assert all(env.action_space(agent).low[1] == 0 for agent in env.possible_agents)
    parallel_api_test(env, 50)
    env.close()
    parallel_seed_test(lambda: ccpark.parallel_env(**overlay), num_cycles=50)


def test_agents_of_an_overlay_decide_what_each_path_carries():
    env = ccpark.parallel_env(
        scenario="multipath-4", action="overlay", duration_sec=8, step_ms=100, info_keys=["delivered_bytes"]
    )

    def delivered(weights):
        """Of each flow, when each has its weight in the split from the first step on."""
        sums = dict.fromkeys(env.possible_agents, 0.0)
        env.reset(seed=2)
        steps = 0
        while env.agents:
            actions = {agent: np.array([0.0, weights[agent]], np.float32) for agent in env.agents}
            *_, infos = env.step(actions)
            steps += 1
            if steps > 20:  # what was given before the first action has arrived
                for agent, info in infos.items():
                    sums[agent] += info["delivered_bytes"]
        return sums

    even = delivered(dict.fromkeys(env.possible_agents, 0.5))
    uneven = delivered({agent: 1.0 if agent == "flow-1" else 0.25 for agent in env.possible_agents})
    others = [agent for agent in env.possible_agents if agent != "flow-1"]
    assert all(0.9 < even["flow-1"] / even[agent] < 1.1 for agent in others)
    assert all(3 < uneven["flow-1"] / uneven[agent] < 5 for agent in others)
    env.close()
