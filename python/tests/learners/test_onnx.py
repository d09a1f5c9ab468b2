"""Exported policies: what the graph computes, what its contract says, and what is refused."""

import json
from contextlib import closing

import numpy as np
import pytest

import ccpark
from ccpark.onnx_export import contract_of

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


@pytest.fixture(scope="module")
def env():
    envs = ccpark.make_vec(2, scenario="park-paper", duration_sec=1, step_ms=20, action_delay_us=500)
    yield envs
    envs.close()


def network(inputs: int, outputs: int) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, 8), nn.ELU(), nn.Linear(8, outputs))


def run(path, observations):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (actions,) = session.run(["action"], {"observation": observations})
    return actions


def contract_in(path):
    (entry,) = onnx.load(str(path)).metadata_props
    assert entry.key == "ccpark.contract"
    return json.loads(entry.value)


def test_the_contract_has_the_options_in_force_and_the_names_of_every_dimension(env, tmp_path):
    path = tmp_path / "policy.onnx"
    actor = network(env.single_observation_space.shape[0], 1)
    assert ccpark.export_onnx(actor, path, env=env) < 1e-5
    contract = contract_in(path)
    assert contract["envId"] == "ccpark/CongestionControl-v0"
    assert contract["observation"]["name"] == "standard"
    assert contract["action"] == {
        "name": "multiplicative",
        "dimensions": [{"name": "log2CwndChange", "unit": "1", "low": -1, "high": 1}],
    }
    assert len(contract["observation"]["dimensions"]) == env.single_observation_space.shape[0]
    in_force = {"reward": "score", "stepMs": 20, "actionDelayUs": 500, "reportLossAtOnce": False}
    assert {key: contract[key] for key in in_force} == in_force
    assert contract["madeBy"].startswith("torch ")


@pytest.mark.parametrize("rule", ["clip", "squash", "scale"])
def test_actions_are_in_the_unit_of_the_space_and_inside_of_it(rule, tmp_path):
    with closing(ccpark.make_vec(1, action="absolute")) as env:
        low, high = env.single_action_space.low, env.single_action_space.high
        actor = network(env.single_observation_space.shape[0], 2)
        path = tmp_path / "policy.onnx"
        ccpark.export_onnx(actor, path, env=env, action_rule=rule)
        observations = np.random.default_rng(2).normal(size=(50, len(env.single_observation_space.low)))
    observations = observations.astype(np.float32)
    out = actor(torch.as_tensor(observations)).detach().numpy()
    if rule != "clip":
        out = (low + high) / 2 + (high - low) / 2 * (np.tanh(out) if rule == "squash" else out)
    actions = run(path, observations)
    assert np.all(actions >= low)
    assert np.all(actions <= high)
    np.testing.assert_allclose(actions, np.clip(out, low, high), rtol=1e-4, atol=1e-4)


def test_normalisation_is_inside_of_the_graph(env, tmp_path):
    width = env.single_observation_space.shape[0]
    actor = network(width, 1)
    normalisation = ccpark.Normalisation(np.linspace(-1, 3, width), np.linspace(0.1, 2, width), clip=1.5)
    path = tmp_path / "policy.onnx"
    ccpark.export_onnx(actor, path, env=env, normalisation=normalisation)
    observations = np.random.default_rng(3).normal(size=(50, width)).astype(np.float32)
    expected = actor(torch.as_tensor(normalisation(observations))).detach().numpy()
    np.testing.assert_allclose(run(path, observations), np.clip(expected, -1, 1), atol=1e-5)


@pytest.mark.parametrize("name", ["PPO", "A2C", "SAC", "TD3"])
def test_models_of_stable_baselines3_act_alike(name, tmp_path):
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import VecNormalize

    from ccpark.sb3 import make_vec_env

    env = VecNormalize(make_vec_env(1, scenario="park-paper", duration_sec=1), clip_obs=5.0)
    quick = {"n_steps": 64, "batch_size": 64} if name == "PPO" else {}
    model = getattr(sb3, name)("MlpPolicy", env, seed=1, device="cpu", **quick)
    model.learn(130)
    path = tmp_path / "policy.onnx"
    assert ccpark.export_onnx(model, path) < 1e-5
    assert contract_in(path)["madeBy"].endswith(name)
    low, high = env.observation_space.low, env.observation_space.high
    observations = np.random.default_rng(4).uniform(low, np.minimum(high, low + 2), (20, len(low)))
    observations = observations.astype(np.float32)
    env.training = False
    expected, _ = model.predict(env.normalize_obs(observations), deterministic=True)
    np.testing.assert_allclose(run(path, observations), expected, atol=1e-4)
    env.close()


def normalised(**kwargs):
    from stable_baselines3.common.vec_env import VecNormalize

    from ccpark.sb3 import make_vec_env

    return VecNormalize(make_vec_env(1, scenario="park-paper", duration_sec=1), **kwargs)


def test_a_loaded_model_is_exported_with_the_statistics_it_was_trained_with_or_not_at_all(tmp_path):
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import VecNormalize

    env = normalised(clip_obs=5.0)
    model = sb3.PPO("MlpPolicy", env, n_steps=64, batch_size=64, seed=1, device="cpu").learn(130)
    ccpark.export_onnx(model, tmp_path / "own.onnx")
    model.save(tmp_path / "model.zip")
    env.save(tmp_path / "statistics.pkl")
    loaded = sb3.PPO.load(tmp_path / "model.zip", device="cpu")
    path = tmp_path / "loaded.onnx"
    with pytest.raises(ValueError, match="PPO: it was loaded without its environment, and does not know whether"):
        ccpark.export_onnx(loaded, path, env=env.venv)
    with pytest.raises(TypeError, match=r"normalisation: got PosixPath, expected a VecNormalize"):
        ccpark.export_onnx(loaded, path, env=env.venv, normalisation=tmp_path / "statistics.pkl")
    assert not path.exists()
    observations = np.random.default_rng(5).normal(size=(20, env.observation_space.shape[0])).astype(np.float32)
    for given in (
        {"env": VecNormalize.load(str(tmp_path / "statistics.pkl"), env.venv)},
        {"env": env.venv, "normalisation": env},
    ):
        ccpark.export_onnx(loaded, path, **given)
        np.testing.assert_array_equal(run(path, observations), run(tmp_path / "own.onnx", observations))
    ccpark.export_onnx(loaded, path, env=env.venv, normalisation=False)
    assert np.any(run(path, observations) != run(tmp_path / "own.onnx", observations))
    env.close()


def test_gymnasiums_normalisation_below_a_vector_is_taken_along(tmp_path):
    sb3 = pytest.importorskip("stable_baselines3")
    import gymnasium
    from stable_baselines3.common.vec_env import DummyVecEnv

    def make():
        return gymnasium.wrappers.NormalizeObservation(gymnasium.make("ccpark/park-paper-v0", duration_sec=1))

    env = DummyVecEnv([make])
    model = sb3.PPO("MlpPolicy", env, n_steps=64, batch_size=64, seed=1, device="cpu").learn(64)
    path = tmp_path / "policy.onnx"
    ccpark.export_onnx(model, path)
    observations = np.random.default_rng(6).normal(size=(20, env.observation_space.shape[0])).astype(np.float32)
    expected, _ = model.predict(ccpark.Normalisation.of(env.envs[0])(observations), deterministic=True)
    np.testing.assert_allclose(run(path, observations), expected, atol=1e-4)
    env.close()

    def shifted():
        inner = gymnasium.make("ccpark/park-paper-v0", duration_sec=1)
        return gymnasium.wrappers.TransformObservation(inner, lambda o: o + 1, inner.observation_space)

    env = DummyVecEnv([shifted])
    model = sb3.PPO("MlpPolicy", env, n_steps=64, batch_size=64, seed=1, device="cpu")
    with pytest.raises(ValueError, match="wrapper TransformObservation: it changes what passes"):
        ccpark.export_onnx(model, path)
    env.close()


@pytest.mark.parametrize("layers", [1, 2])
def test_a_policy_with_memory_has_its_state_in_and_out(layers, tmp_path):
    contrib = pytest.importorskip("sb3_contrib")
    envs = normalised(clip_obs=5.0)
    sizes = {"policy_kwargs": {"lstm_hidden_size": 24, "n_lstm_layers": layers}}
    model = contrib.RecurrentPPO("MlpLstmPolicy", envs, n_steps=64, batch_size=64, seed=1, device="cpu", **sizes)
    model.learn(130)
    path = tmp_path / "policy.onnx"
    assert ccpark.export_onnx(model, path) < 1e-5
    pairs = {pair["input"]: pair["output"] for pair in contract_in(path)["state"]}
    assert pairs == {f"{part}{k}": f"{part}{k}_next" for k in range(layers) for part in ("hidden", "cell")}
    # what it says of one observation depends on those before
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    seen = np.full((1, envs.observation_space.shape[0]), 0.1, np.float32)
    state = {name: np.zeros((1, 24), np.float32) for name in pairs}
    said = []
    for _ in range(3):
        action, *kept = session.run(["action", *pairs.values()], {"observation": seen, **state})
        said.append(float(action[0, 0]))
        state = dict(zip(pairs, kept, strict=True))
    assert len(set(said)) == 3
    envs.close()


def test_a_module_with_memory_is_refused_with_the_reason(env, tmp_path):
    actor = torch.nn.Sequential(torch.nn.Linear(env.single_observation_space.shape[0], 1), torch.nn.GRU(1, 1))
    path = tmp_path / "policy.onnx"
    with pytest.raises(ValueError, match="layer GRU: it keeps a state from step to step"):
        ccpark.export_onnx(actor, path, env=env)
    assert not path.exists()


def test_a_graph_of_another_exporter_gets_its_contract(env, tmp_path):
    path = tmp_path / "policy.onnx"
    ccpark.export_onnx(network(env.single_observation_space.shape[0], 1), path, env=env)
    foreign = onnx.load(str(path))
    del foreign.metadata_props[:]
    onnx.save(foreign, str(path))
    ccpark.add_contract(path, env=env)
    assert contract_in(path)["stepMs"] == 20
    kept = foreign.SerializeToString()
    foreign.graph.node[0].op_type = "LSTM"
    onnx.save(foreign, str(path))
    with pytest.raises(ValueError, match="the graph has a node LSTM: it keeps a state"):
        ccpark.add_contract(path, contract=contract_of(env))
    foreign = onnx.load_model_from_string(kept)
    foreign.graph.node.add(op_type="RandomNormalLike", input=["observation"], output=["noise"])
    onnx.save(foreign, str(path))
    with pytest.raises(ValueError, match=r"draws random numbers \(RandomNormalLike\)"):
        ccpark.add_contract(path, contract=contract_of(env))


def test_other_names_further_outputs_and_a_memory_are_mapped(env, tmp_path):
    path = tmp_path / "policy.onnx"
    width = env.single_observation_space.shape[0]
    ccpark.export_onnx(network(width, 1), path, env=env)
    foreign = onnx.load(str(path))
    del foreign.metadata_props[:]
    for node in foreign.graph.node:
        node.input[:] = ["input" if name == "observation" else name for name in node.input]
        node.output[:] = ["y" if name == "action" else name for name in node.output]
    foreign.graph.input[0].name = "input"
    foreign.graph.output[0].name = "y"
    value = onnx.helper.make_tensor_value_info(foreign.graph.node[-2].output[0], 1, ["batch", 1])
    foreign.graph.output.append(value)
    onnx.save(foreign, str(path))
    with pytest.raises(ValueError, match=r"outputs of the graph: got y float \[\?, 1\]; .* expected `output=`"):
        ccpark.add_contract(path, env=env)
    with pytest.raises(ValueError, match="output: got 'z', expected one of the graph's: y"):
        ccpark.add_contract(path, env=env, output="z")
    ccpark.add_contract(path, env=env, output="y")
    assert contract_in(path)["input"] == "input"
    assert contract_in(path)["output"] == "y"
    assert "state" not in contract_in(path)


def test_a_memory_is_told_or_found_and_what_nothing_feeds_is_refused(env, tmp_path):
    path = tmp_path / "policy.onnx"
    width = env.single_observation_space.shape[0]
    tensor = onnx.helper.make_tensor_value_info
    sizes = {"h": 4, "h_next": 4, "observation": width, "action": 1}
    nodes = [
        onnx.helper.make_node("ReduceMean", ["observation"], ["mean"], axes=[1], keepdims=1),
        onnx.helper.make_node("Add", ["h", "mean"], ["h_next"]),
        onnx.helper.make_node("ReduceMean", ["h_next"], ["action"], axes=[1], keepdims=1),
    ]

    def save(inputs, outputs):
        values = [[tensor(name, 1, ["batch", sizes[name]]) for name in names] for names in (inputs, outputs)]
        graph = onnx.helper.make_graph(nodes, "memory", *values)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
        onnx.save(model, str(path))

    for state in (None, {"h": "h_next"}):
        save(["observation", "h"], ["action", "h_next"])
        ccpark.add_contract(path, env=env, state=state)
        assert contract_in(path)["state"] == [{"input": "h", "output": "h_next"}]
    save(["observation", "h"], ["action"])
    with pytest.raises(ValueError, match=r"that do not pair up: got h float \[\?, 4\]"):
        ccpark.add_contract(path, env=env)
    save(["observation", "h"], ["action", "h_next"])
    with pytest.raises(ValueError, match="state: got nothing for the input h"):
        ccpark.add_contract(path, env=env, state={"g": "h_next"})


def test_double_precision_is_refused_when_the_contract_is_added(env, tmp_path):
    path = tmp_path / "policy.onnx"
    ccpark.export_onnx(network(env.single_observation_space.shape[0], 1), path, env=env)
    foreign = onnx.load(str(path))
    foreign.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    onnx.save(foreign, str(path))
    with pytest.raises(ValueError, match=r"got observation double \[\?, 30\], expected float32"):
        ccpark.add_contract(path, env=env)


def test_what_cannot_be_exported_is_named(env, tmp_path):
    width = env.single_observation_space.shape[0]
    path = tmp_path / "policy.onnx"
    with pytest.raises(ValueError, match="layer GRU: it keeps a state"):
        ccpark.export_onnx(nn.Sequential(nn.GRU(width, 1)), path, env=env)
    with pytest.raises(TypeError, match="model: got None, expected a model of Stable-Baselines3"):
        ccpark.export_onnx(None, path, env=env)
    with pytest.raises(ValueError, match="expected an environment of ccpark"):
        ccpark.export_onnx(network(width, 1), path, env=object())
    with pytest.raises(ValueError, match="network: got 3 inputs and 1 outputs"):
        ccpark.export_onnx(network(3, 1), path, env=env)
    assert not path.exists()


def test_a_space_that_a_wrapper_changed_is_refused(tmp_path):
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import VecFrameStack

    from ccpark.sb3 import make_vec_env

    env = VecFrameStack(make_vec_env(1, scenario="park-paper", duration_sec=1), 2)
    model = sb3.PPO("MlpPolicy", env, n_steps=64, batch_size=64, device="cpu")
    with pytest.raises(ValueError, match="observation space of the model: got shape"):
        ccpark.export_onnx(model, tmp_path / "policy.onnx")
    env.close()
