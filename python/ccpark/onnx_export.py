"""Policies that leave a learner as ONNX files, to be run by ``ccpark bench --algorithms onnx:FILE``.

The graph takes observations as the environment gives them, float32 ``[batch, observation]``, and answers actions in the
unit of the action space, float32 ``[batch, action]``, without chance: normalisation, squashing and clipping are inside.
A contract in the file's metadata says which observation, action and steps it was trained with; ``docs/onnx.md`` is the
specification. The graph is written layer by layer with ``onnx.helper``, so no exporter of a framework takes part; a
network that is no plain multi-layer perceptron is exported by its framework and has its contract from ``add_contract``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ccpark.errors import needs_library
from ccpark.onnx_memory import Lstm
from ccpark.options import to_kwargs
from ccpark.remote import Remote
from ccpark.v1 import environment_pb2 as pb

if TYPE_CHECKING:
    import onnx
    import torch

__all__ = ["Normalisation", "PolicyContract", "add_contract", "contract_of", "export_onnx"]

CONTRACT_KEY = "ccpark.contract"
CONTRACT_VERSION = 1
INPUT = "observation"
OUTPUT = "action"

# Opset 17 and IR 8 (2022) are read by every runtime in use, and nothing here needs more.
OPSET = 17
IR_VERSION = 8

# float32 networks of two implementations differ by some 1e-6 of the box
TOLERANCE = 1e-4

# why a recurrent policy has no way home
NO_STATE = (
    "it keeps a state from step to step, and an exported policy answers each observation by itself, so its memory "
    "would be lost; train a policy without recurrence (the observation `standard` holds several frames)"
)
RECURRENT_NODES = {"LSTM", "GRU", "RNN", "Scan", "Loop"}
RANDOM_NODES = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}

Array = npt.NDArray[Any]
ActionRule = Literal["clip", "squash", "scale"]
Dimensions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class PolicyContract:
    """What a policy expects of its environment.

    Attributes:
        observation, action: ``{"name": ..., "dimensions": [{"name", "unit", "low", "high"}, ...]}``
        step_ms: length of a step in milliseconds, or ``"rtt"``
    """

    env_id: str
    observation: Mapping[str, Any]
    action: Mapping[str, Any]
    reward: str
    step_ms: float | Literal["rtt"]
    action_delay_us: float = 0.0
    report_loss_at_once: bool = False
    action_policy: Literal["clip", "reject"] = "clip"
    made_by: str | None = None

    @staticmethod
    def bounds_of(space: Mapping[str, Any]) -> tuple[Array, Array]:
        """Lowest and highest values of a space of the contract, float32."""
        dimensions: Dimensions = space["dimensions"]
        low = np.array([d["low"] for d in dimensions], np.float32)
        return low, np.array([d["high"] for d in dimensions], np.float32)

    def to_json(
        self,
        normalisation: str,
        rule: str,
        *,
        tensors: tuple[str, str] = (INPUT, OUTPUT),
        state: Mapping[str, str] | None = None,
    ) -> str:
        """The text that goes into the model's metadata.

        Args:
            normalisation: of observations, inside of the graph, for people
            rule: from output to action, likewise
            tensors: names of input and output
            state: of a graph with memory: the output that is an input of the next step, by that input
        """
        content: dict[str, Any] = {
            "version": CONTRACT_VERSION,
            "envId": self.env_id,
            "observation": self.observation,
            "action": self.action,
            "reward": self.reward,
            "stepMs": self.step_ms,
            "actionDelayUs": self.action_delay_us,
            "reportLossAtOnce": self.report_loss_at_once,
            "actionPolicy": self.action_policy,
            "input": tensors[0],
            "output": tensors[1],
            "normalisation": {"inGraph": True, "kind": normalisation},
            "actionRule": {"inGraph": True, "kind": rule},
        }
        if state:
            content["state"] = [{"input": name, "output": output} for name, output in state.items()]
        if self.made_by is not None:
            content["madeBy"] = self.made_by
        return json.dumps(content)


@dataclass(frozen=True)
class Normalisation:
    """What an observation goes through before the network: ``clip((x - mean) / sqrt(variance + epsilon))``."""

    mean: Array
    variance: Array
    epsilon: float = 1e-8
    clip: float = float("inf")
    """largest absolute value afterwards"""

    @staticmethod
    def of(wrapper: object) -> Normalisation | None:
        """Of Stable-Baselines3's ``VecNormalize`` or Gymnasium's ``NormalizeObservation``; None: it does nothing.

        Raises:
            TypeError: no normalisation; a path is not read, since only its library can.
        """
        if isinstance(wrapper, Normalisation):
            return wrapper
        if wrapper is False or getattr(wrapper, "norm_obs", True) is False:
            return None
        statistics: Any = getattr(wrapper, "obs_rms", None)
        if not hasattr(statistics, "mean"):
            raise TypeError(
                f"normalisation: got {type(wrapper).__name__}, expected a VecNormalize (saved statistics: "
                "VecNormalize.load(path, venv)), a NormalizeObservation, a ccpark.Normalisation, or False for none"
            )
        clip = float(getattr(wrapper, "clip_obs", np.inf))
        epsilon = float(getattr(wrapper, "epsilon", 1e-8))
        return Normalisation(np.array(statistics.mean), np.array(statistics.var), epsilon, clip)

    def __call__(self, observations: Array) -> Array:
        """Observations as the network wants them, float32."""
        scaled = (observations - self.mean) / np.sqrt(self.variance + self.epsilon)
        return np.asarray(np.clip(scaled, -self.clip, self.clip), np.float32)


@dataclass
class _Graph:
    """Nodes in a row: each takes what the one before it gave."""

    value: str = INPUT
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, array: Array) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, *arrays: Array, output: str | None = None, **attributes: Any) -> None:
        from onnx import helper

        inputs = [self.value, *(self.constant(array) for array in arrays)]
        self.value = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [self.value], **attributes))


def _layers(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Leaves of nested sequences, in order."""
    from torch import nn

    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _layers(child)
    else:
        yield module


def _add_layer(graph: _Graph, layer: torch.nn.Module, dtype: type[np.floating[Any]]) -> None:
    from torch import nn

    if isinstance(layer, nn.Linear):
        weights = layer.weight.detach().cpu().numpy().astype(dtype)
        biases = np.zeros(layer.out_features) if layer.bias is None else layer.bias.detach().cpu().numpy()
        graph.add("Gemm", weights, biases.astype(dtype), transB=1)
    elif isinstance(layer, nn.Tanh | nn.ReLU | nn.Sigmoid):
        graph.add({nn.Tanh: "Tanh", nn.ReLU: "Relu", nn.Sigmoid: "Sigmoid"}[type(layer)])
    elif isinstance(layer, nn.ELU):
        graph.add("Elu", alpha=float(layer.alpha))
    elif isinstance(layer, nn.LeakyReLU):
        graph.add("LeakyRelu", alpha=float(layer.negative_slope))
    elif isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        raise ValueError(f"layer {type(layer).__name__}: {NO_STATE}")
    elif not isinstance(layer, nn.Flatten | nn.Identity | nn.Dropout):
        raise ValueError(
            f"layer {type(layer).__name__}: expected Linear, Tanh, ReLU, Sigmoid, ELU or LeakyReLU in nn.Sequential; "
            "export another network with torch.onnx.export and give it its contract with ccpark.add_contract"
        )


def build(
    network: torch.nn.Module,
    contract: PolicyContract,
    normalisation: Normalisation | None,
    rule: ActionRule,
    dtype: type[np.floating[Any]] = np.float32,
    lstm: Lstm | None = None,
) -> onnx.ModelProto:
    """The graph of a policy with its contract; `dtype` is of its arithmetic, `lstm` what remembers before it."""
    import onnx
    from onnx import TensorProto, helper

    low, high = contract.bounds_of(contract.action)
    width = len(contract.observation["dimensions"])
    linear = [layer for layer in _layers(network) if hasattr(layer, "out_features")]
    wanted = (width if lstm is None else lstm.units, len(low))
    if linear and (linear[0].in_features, linear[-1].out_features) != wanted:
        got = f"{linear[0].in_features} inputs and {linear[-1].out_features} outputs"
        raise ValueError(f"network: got {got}, expected {wanted[0]} and {wanted[1]}")
    if lstm is not None and lstm.inputs != width:
        raise ValueError(f"LSTM: got {lstm.inputs} inputs, expected {width}")
    graph = _Graph()
    if normalisation is not None:
        # in double: the difference of two large numbers would lose the digits that matter
        graph.add("Cast", to=TensorProto.DOUBLE)
        graph.add("Sub", np.asarray(normalisation.mean, np.float64))
        graph.add("Div", np.sqrt(np.asarray(normalisation.variance, np.float64) + normalisation.epsilon))
        if np.isfinite(normalisation.clip):
            graph.add("Clip", np.float64(-normalisation.clip), np.float64(normalisation.clip))
    graph.add("Cast", to=TensorProto.DOUBLE if dtype is np.float64 else TensorProto.FLOAT)
    if lstm is not None:
        graph.value, nodes = lstm.nodes(graph.value, graph.constant)
        graph.nodes.extend(nodes)
    for layer in _layers(network):
        _add_layer(graph, layer, dtype)
    if rule == "squash":
        graph.add("Tanh")
    if rule != "clip":
        graph.add("Mul", ((high - low) / 2).astype(dtype))
        graph.add("Add", ((high + low) / 2).astype(dtype))
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("Max", low)
    graph.add("Min", high, output=OUTPUT)

    def tensor(name: str, columns: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", columns])

    state = {} if lstm is None else lstm.state
    units = 0 if lstm is None else lstm.units
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "policy",
            [tensor(INPUT, width), *(tensor(name, units) for name in state)],
            [tensor(OUTPUT, len(low)), *(tensor(name, units) for name in state.values())],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="ccpark",
    )
    model.ir_version = IR_VERSION
    kind = "none" if normalisation is None else "mean and variance"
    helper.set_model_props(model, {CONTRACT_KEY: contract.to_json(kind, rule, state=state)})
    onnx.checker.check_model(model, full_check=True)
    return model


def _random_observations(contract: PolicyContract, normalisation: Normalisation | None, rows: int) -> Array:
    """Half of them anywhere in the box, half where a policy lives: around its mean, or near 0."""
    low, high = contract.bounds_of(contract.observation)
    rng = np.random.default_rng(0)
    anywhere = rng.uniform(low, high, (rows // 2, len(low)))
    near = rng.normal(size=(rows - rows // 2, len(low)))
    if normalisation is not None:
        near = normalisation.mean + near * np.sqrt(normalisation.variance + normalisation.epsilon)
    return np.asarray(np.clip(np.concatenate([anywhere, near]), low, high), np.float32)


def _largest_error(
    model: onnx.ModelProto, reference: Callable[[Array], Array], contract: PolicyContract, observations: Array
) -> float:
    """Between onnxruntime and the learner's own arithmetic, as a share of the box."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (got,) = session.run([OUTPUT], {INPUT: observations})
    low, high = contract.bounds_of(contract.action)
    error = float(np.max(np.abs(np.asarray(got) - reference(observations)) / (high - low)))
    if not error <= TOLERANCE:
        raise RuntimeError(
            f"the exported graph differs from the model by {error:.2g} of the action box, expected {TOLERANCE}"
        )
    return error


def _largest_error_in_sequences(
    model: onnx.ModelProto, learner: Any, scaling: Normalisation | None, contract: PolicyContract, lstm: Lstm
) -> float:
    """The same of a policy with memory, over some steps of several rows, of which some begin anew."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = contract.bounds_of(contract.action)
    rows, steps = 20, 50
    observations = _random_observations(contract, scaling, rows * steps).reshape(steps, rows, -1)
    begins = np.random.default_rng(1).random((steps, rows)) < 0.1
    begins[0] = True
    state = {name: np.zeros((rows, lstm.units), np.float32) for name in lstm.state}
    theirs: Any = None
    error = 0.0
    for step in range(steps):
        for array in state.values():
            array[begins[step]] = 0
        got, *kept = session.run([OUTPUT, *lstm.state.values()], {INPUT: observations[step], **state})
        state = dict(zip(lstm.state, (np.array(each) for each in kept), strict=True))
        seen = observations[step] if scaling is None else scaling(observations[step])
        wanted, theirs = learner.predict(seen, state=theirs, episode_start=begins[step], deterministic=True)
        error = max(error, float(np.max(np.abs(np.asarray(got) - wanted) / (high - low))))
    if not error <= TOLERANCE:
        raise RuntimeError(
            f"the exported graph differs from the model by {error:.2g} of the action box, expected {TOLERANCE}"
        )
    return error


def _lstm_of(model: Any) -> Lstm | None:
    """The memory of the actor of sb3-contrib's `RecurrentPPO`; None: it has none."""
    module = getattr(getattr(model, "policy", None), "lstm_actor", None)
    return None if module is None else Lstm.of(module)


def _actor_of(model: Any) -> tuple[torch.nn.Module, ActionRule]:
    """The deterministic part of a Stable-Baselines3 policy; of `RecurrentPPO` what stands behind its memory."""
    from torch import nn

    policy = model.policy
    if hasattr(policy, "lstm_actor"):
        list(_unwrap([policy.pi_features_extractor]))
        parts = [policy.mlp_extractor.policy_net, policy.action_net]
        return nn.Sequential(*_unwrap(parts)), "squash" if policy.squash_output else "clip"
    recurrent = next((m for m in policy.modules() if isinstance(m, nn.RNNBase | nn.RNNCellBase)), None)
    if recurrent is not None:
        raise ValueError(f"{type(model).__name__} with {type(recurrent).__name__}: {NO_STATE}")
    if hasattr(policy, "mlp_extractor"):  # PPO, A2C
        extractor = policy.pi_features_extractor
        parts = [extractor, policy.mlp_extractor.policy_net, policy.action_net]
        return nn.Sequential(*_unwrap(parts)), "squash" if policy.squash_output else "clip"
    actor: Any = getattr(policy, "actor", None)
    if hasattr(actor, "latent_pi"):  # SAC
        return nn.Sequential(*_unwrap([actor.features_extractor, actor.latent_pi, actor.mu])), "squash"
    if isinstance(getattr(actor, "mu", None), nn.Sequential):  # TD3, DDPG: mu ends with tanh
        return nn.Sequential(*_unwrap([actor.features_extractor, actor.mu])), "scale"
    raise ValueError(
        f"{type(model).__name__}: expected a model of PPO, A2C, SAC, TD3 or DDPG with an MlpPolicy, or of RecurrentPPO"
    )


def _unwrap(parts: Sequence[Any]) -> Iterator[torch.nn.Module]:
    """A FlattenExtractor does nothing to a vector; others are told by their name in `_add_layer`."""
    for part in parts:
        yield part.flatten if type(part).__name__ == "FlattenExtractor" else part


def _check_space(what: str, space: Any, contracted: Mapping[str, Any], is_normalised: bool = False) -> None:
    """A normalised space has other bounds, some libraries say so."""
    low, high = PolicyContract.bounds_of(contracted)
    got = f"shape {space.shape}"
    if space.shape == low.shape:
        if is_normalised:
            return
        if np.array_equal(space.low, low) and np.array_equal(space.high, high):
            return
        got = f"bounds {space.low} to {space.high}"
    raise ValueError(
        f"{what} space of the model: got {got}, expected that of `{contracted['name']}`, shape {low.shape}, "
        f"{low} to {high}: a wrapper between model and environment would be missing in the exported policy"
    )


def _wrappers(env: object) -> Iterator[Any]:
    """An environment and what is below it, to that of this package; of several beside each other the first."""
    inner: Any = env
    while inner is not None:
        yield inner
        if isinstance(inner, Remote):
            return
        inner = getattr(inner, "venv", None) or getattr(inner, "env", None) or getattr(inner, "envs", [None])[0]


def _normaliser_of(env: object) -> object | None:
    """The wrapper that normalises observations; None: there is none.

    Raises:
        ValueError: two of them, or a wrapper that changes observations or actions in another way.
    """
    import gymnasium

    def normalises(wrapper: Any) -> bool:
        # its own: wrappers of Stable-Baselines3 hand attributes through
        return "obs_rms" in getattr(wrapper, "__dict__", {}) and getattr(wrapper, "norm_obs", True)

    found = [wrapper for wrapper in _wrappers(env) if normalises(wrapper)]
    if len(found) > 1:
        names = " and ".join(type(wrapper).__name__ for wrapper in found)
        raise ValueError(f"observations are normalised twice, by {names}: expected one wrapper, or normalisation=")
    for wrapper in _wrappers(env):
        changes = isinstance(
            wrapper,
            gymnasium.ObservationWrapper
            | gymnasium.ActionWrapper
            | gymnasium.vector.VectorObservationWrapper
            | gymnasium.vector.VectorActionWrapper,
        )
        if changes and wrapper not in found:
            raise ValueError(
                f"wrapper {type(wrapper).__name__}: it changes what passes between policy and environment, and would "
                "be missing in the exported policy"
            )
    return found[0] if found else None


def _remote(env: object) -> Remote:
    """The environment of this package below any wrappers of Gymnasium or Stable-Baselines3."""
    for inner in _wrappers(env):
        if isinstance(inner, Remote):
            return inner
    raise ValueError(f"env: got {type(env).__name__}, expected an environment of ccpark, or contract= instead")


def _space(name: str, space: pb.Space) -> dict[str, Any]:
    if not space.HasField("box"):
        raise ValueError(
            f"action: got `{name}`, one of several choices, expected a box: choices cannot be exported yet"
        )
    dimensions = [{"name": d.name, "unit": d.unit, "low": d.low, "high": d.high} for d in space.box.dimensions]
    return {"name": name, "dimensions": dimensions}


def contract_of(env: object, made_by: str | None = None) -> PolicyContract:
    """The contract of policies for an environment, with the server's defaults for options that it was not given.

    Args:
        env: an environment of this package, wrapped or not
        made_by: a few words for tables

    Raises:
        ValueError: the environment is another one.
    """
    remote = _remote(env)
    session = remote._open()
    env_id = remote._setup.env_id
    listed = session._connection.call("ListEnvs", pb.ListEnvsRequest(), pb.ListEnvsResponse)
    schema = json.loads(next(info.kwargs_json_schema for info in listed.envs if info.env_id == env_id))
    options = {name: entry["default"] for name, entry in schema["properties"].items() if "default" in entry}
    options |= to_kwargs(remote._setup.options)
    announced = session.description
    return PolicyContract(
        env_id=env_id,
        observation=_space(options["observation"], announced.single_observation_space),
        action=_space(options["action"], announced.single_action_space),
        reward=options["reward"],
        step_ms=options["stepMs"],
        action_delay_us=options["actionDelayUs"],
        report_loss_at_once=options["reportLossAtOnce"],
        action_policy="reject" if announced.action_policy == pb.ACTION_POLICY_REJECT else "clip",
        made_by=made_by,
    )


def export_onnx(
    model: Any,
    path: str | os.PathLike[str],
    *,
    env: object | None = None,
    contract: PolicyContract | None = None,
    normalisation: object | None = None,
    action_rule: ActionRule = "clip",
    made_by: str | None = None,
) -> float:
    """Writes the deterministic policy of a model as an ONNX file with its contract, and checks it against the model.

    Args:
        model: a Stable-Baselines3 model (PPO, A2C, SAC, TD3, DDPG with ``MlpPolicy``; ``RecurrentPPO`` of sb3-contrib
            with ``MlpLstmPolicy``, whose state goes in and out), or a ``torch.nn.Module``: the actor, ``nn.Sequential``
            of linear layers and activations, from a normalised observation to the mean action
        path: of the file to write
        env: the environment, below any wrappers; the model's own unless given
        contract: instead of ``env``
        normalisation: a ``VecNormalize``, a ``NormalizeObservation`` or a ``Normalisation``, False for none; the one
            among the wrappers of ``env``, or of a Stable-Baselines3 model's own, unless given. A model that was loaded
            without its environment does not know whether it had one, so it must be said
        action_rule: of a ``torch.nn.Module``, from output to action: ``clip`` (it is in the unit of the action),
            ``squash`` (tanh, then scaled to the box) or ``scale`` (-1 to 1, scaled to the box); all are clipped
        made_by: a few words for tables; library and version unless given

    Returns:
        The largest difference to the model on 1000 random observations, as a share of the action box.

    Raises:
        ValueError: a model, layer or space that cannot be exported; the message names it.
        TypeError: no model.
        RuntimeError: the exported graph does not compute what the model does.
        ModuleNotFoundError: a library is missing; the message says what to install.
    """
    with needs_library("ccpark.export_onnx", "'./python[onnx]' torch"):
        import onnx  # noqa: F401  # before the work that needs it at its end
        import onnxruntime  # noqa: F401
        import torch

    if not isinstance(model, torch.nn.Module) and not hasattr(model, "policy"):
        got = "None" if model is None else type(model).__name__
        raise TypeError(f"model: got {got}, expected a model of Stable-Baselines3 or a torch.nn.Module")
    if isinstance(model, torch.nn.Module):
        network, rule, by = model, action_rule, f"torch {torch.__version__}"
        wrapper = _normaliser_of(env) if normalisation is None and env is not None else normalisation
        scaling = None if wrapper is None else Normalisation.of(wrapper)
    else:
        network, rule = _actor_of(model)
        import stable_baselines3

        by = f"stable-baselines3 {stable_baselines3.__version__} {type(model).__name__}"
        own = model.get_env()
        wrapper = normalisation
        for candidate in (env, own):
            if wrapper is None and candidate is not None:
                wrapper = _normaliser_of(candidate)
        if wrapper is None and own is None:
            raise ValueError(
                f"{type(model).__name__}: it was loaded without its environment, and does not know whether its "
                "observations were normalised; give normalisation=VecNormalize.load(path, venv), or False "
                "if they were not"
            )
        scaling = None if wrapper is None else Normalisation.of(wrapper)
        env = env if env is not None else own
    promise = contract or contract_of(env)
    promise = PolicyContract(**{**promise.__dict__, "made_by": made_by or promise.made_by or by})
    if not isinstance(model, torch.nn.Module):
        _check_space("observation", model.observation_space, promise.observation, scaling is not None)
        _check_space("action", model.action_space, promise.action)
    low, high = promise.bounds_of(promise.action)

    def reference(observations: Array) -> Array:
        rows = scaling(observations) if scaling is not None else observations
        if not isinstance(model, torch.nn.Module):
            return np.asarray(model.predict(rows, deterministic=True)[0])
        with torch.no_grad():
            actions = model(torch.as_tensor(rows)).numpy()
        if rule == "squash":
            actions = np.tanh(actions)
        if rule != "clip":
            actions = (low + high) / 2 + (high - low) / 2 * actions
        return np.asarray(np.clip(actions, low, high))

    lstm = _lstm_of(model)
    built = build(network, promise, scaling, rule, lstm=lstm)
    if lstm is None:
        error = _largest_error(built, reference, promise, _random_observations(promise, scaling, 1000))
    else:
        error = _largest_error_in_sequences(built, model, scaling, promise, lstm)
    write(built, path)
    return error


def _shape(value: Any) -> list[int | None]:
    """None: a dimension without a number, such as the batch."""
    return [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]


def _describe(value: Any) -> str:
    import onnx

    sizes = ", ".join("?" if size is None else str(size) for size in _shape(value))
    return f"{value.name} {onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()} [{sizes}]"


def _tensor(what: str, asked: str | None, usual: str, width: int, values: Sequence[Any]) -> Any:
    """The one that was asked for, has the usual name, is alone, or alone has the width."""
    named = {value.name: value for value in values}
    if asked is not None and asked not in named:
        raise ValueError(f"{what}: got {asked!r}, expected one of the graph's: {', '.join(named)}")
    fits = [value for value in values if len(_shape(value)) == 2 and _shape(value)[-1] == width]
    if asked is not None:
        found = named[asked]
    elif usual in named:
        found = named[usual]
    elif len(values) == 1 or len(fits) == 1:
        found = values[0] if len(values) == 1 else fits[0]
    else:
        got = "; ".join(map(_describe, values))
        raise ValueError(f"{what}s of the graph: got {got}, expected `{what}=` with the name of one [batch, {width}]")
    rows, *columns = _shape(found) or [None]
    if found.type.tensor_type.elem_type != 1:
        raise ValueError(f"{what}: got {_describe(found)}, expected float32 [batch, {width}]; export it in float32")
    if columns != [width] or rows not in (None, 1):
        raise ValueError(f"{what}: got {_describe(found)}, expected float32 [batch, {width}]")
    return found


def _state(given: Mapping[str, str] | None, inputs: Sequence[Any], outputs: Sequence[Any]) -> dict[str, str]:
    """Which of the other outputs is which of the other inputs in the next step: as given, or alike in their order."""
    by_name = {value.name: value for value in outputs}
    if given is None:
        if not inputs:
            return {}
        alike = len(inputs) == len(outputs) and all(_alike(a, b) for a, b in zip(inputs, outputs, strict=True))
        if not alike:
            listed = "; ".join(map(_describe, [*inputs, *outputs]))
            raise ValueError(
                f"the graph has further inputs and outputs that do not pair up: got {listed}, expected `state=` "
                "with the output of a step that is the input of the next, by the name of that input"
            )
        given = {a.name: b.name for a, b in zip(inputs, outputs, strict=True)}
    for value in inputs:
        output = by_name.get(given.get(value.name, ""))
        if output is None:
            raise ValueError(f"state: got nothing for the input {value.name}, expected one of {', '.join(by_name)}")
        if not _alike(value, output) or value.type.tensor_type.elem_type != 1:
            raise ValueError(
                f"state: got {_describe(value)} from {_describe(output)}, expected float32 of the same shape"
            )
    unknown = set(given) - {value.name for value in inputs}
    if unknown:
        raise ValueError(f"state: got {', '.join(sorted(unknown))}, expected names of inputs")
    return dict(given)


def _alike(one: Any, other: Any) -> bool:
    """Of one type, and one shape as far as it has numbers."""
    a, b = _shape(one), _shape(other)
    same = len(a) == len(b) and all(None in (x, y) or x == y for x, y in zip(a, b, strict=True))
    return same and one.type.tensor_type.elem_type == other.type.tensor_type.elem_type


def _operators(graph: Any) -> Iterator[str]:
    """Names of operators, those of graphs in graphs, too."""
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                yield from _operators(inner)


def add_contract(
    path: str | os.PathLike[str],
    *,
    env: object | None = None,
    contract: PolicyContract | None = None,
    input: str | None = None,  # noqa: A002
    output: str | None = None,
    state: Mapping[str, str] | None = None,
) -> None:
    """Gives the ONNX file of another exporter its contract.

    The graph must have an input of observations, float32 ``[batch, n]``, and an output of actions, float32
    ``[batch, m]``, with all normalisation and clipping inside and without chance. Further outputs are ignored. Further
    inputs are its memory: each is what an output was in the step before, and zeros in the first.

    Args:
        path: of the file, which is written anew
        env: the environment, below any wrappers
        contract: instead of ``env``
        input: name of the observations; ``observation``, or the only input that may be it, unless given
        output: name of the actions; ``action``, or the only output that may be it, unless given
        state: of a graph with memory: the output by the input that it is in the next step; those that are alike, in
            their order, unless given

    Raises:
        ValueError: a graph without such an input or output, of another type, with a memory that nothing feeds, or with
            random numbers.
        ModuleNotFoundError: `onnx` is missing.
    """
    with needs_library("ccpark.add_contract", "'./python[onnx]'"):
        import onnx
        from onnx import helper

    model = onnx.load(os.fspath(path))
    promise = contract or contract_of(env)
    constants = {each.name for each in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    outputs = list(model.graph.output)
    observation = _tensor("input", input, INPUT, len(promise.observation["dimensions"]), inputs)
    action = _tensor("output", output, OUTPUT, len(promise.action["dimensions"]), outputs)
    others = [value for value in inputs if value is not observation]
    memory = _state(state, others, [value for value in outputs if value is not action])
    operators = {*_operators(model.graph), *(node.op_type for function in model.functions for node in function.node)}
    recurrent = next(iter(sorted(operators & RECURRENT_NODES)), None)
    if recurrent is not None and not memory:
        raise ValueError(f"the graph has a node {recurrent}: {NO_STATE}, or export its state as inputs and outputs")
    drawing = next(iter(sorted(operators & RANDOM_NODES)), None)
    if drawing is not None:
        raise ValueError(
            f"the graph draws random numbers ({drawing}): expected its mean or best action, "
            "so that a run can be repeated"
        )
    kept = {entry.key: entry.value for entry in model.metadata_props}
    text = promise.to_json("see graph", "see graph", tensors=(observation.name, action.name), state=memory)
    helper.set_model_props(model, {**kept, CONTRACT_KEY: text})
    write(model, path)


def write(model: onnx.ModelProto, path: str | os.PathLike[str]) -> None:
    """As one act, so that nobody reads half a file."""
    temporary = Path(f"{os.fspath(path)}.tmp")
    temporary.write_bytes(model.SerializeToString(deterministic=True))
    temporary.replace(path)
