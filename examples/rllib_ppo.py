"""PPO of RLlib with environment servers as Ray actors: on one machine as it is, on several after ``ray start`` on each.

Every node of the cluster gets servers, at least two in all, which listen on their node's loopback address only; an
environment runner steps a server of its own node, so that observations never cross the network, only whole rollouts and
weights do.

    python examples/rllib_ppo.py                           # a local cluster
    python examples/rllib_ppo.py --steps 4096              # the short form
    ray start --head                                       # on the first host, then on each other:
    ray start --address=FIRST:6379
    python examples/rllib_ppo.py --runners 16              # on the first host, the same script
"""

import itertools
import os

import ccpark
import numpy as np
import ray
import torch
from beside_cubic import compare, make_parser
from ccpark.local_server import LocalServer
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.ppo.torch.default_ppo_torch_rl_module import DefaultPPOTorchRLModule
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.tune.registry import register_env
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from torch import nn

NUM_ENVS = 32
ROLLOUT = 64  # steps per environment between two updates


@ray.remote(num_cpus=0)
class EnvServer:
    """A `ccpark serve` that ends with this actor."""

    def __init__(self) -> None:
        self.server = LocalServer()
        self.turns = itertools.count()

    def turn(self) -> int:
        """Counts the runners of a node, if it is the node's first server that is asked."""
        return next(self.turns)

    def where(self) -> dict[str, object]:
        return {
            "node": ray.get_runtime_context().get_node_id(),
            "host": ray.util.get_node_ip_address(),
            "actor": os.getpid(),
            "server": self.server.pid,
            "address": self.server.address,
        }


def start_servers(at_least: int) -> tuple[list[object], list[dict[str, object]]]:
    """As many on every node."""
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    each = -(-at_least // len(nodes))
    names = {f"env-server-{node:.8}-{number}": node for node in nodes for number in range(each)}
    servers = [
        EnvServer.options(name=name, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote()
        for name, node in names.items()
    ]
    places = ray.get([server.where.remote() for server in servers])
    return servers, [{"name": name, **place} for name, place in zip(names, places, strict=True)]


def make_envs(config: dict[str, object]) -> object:
    """The vector of one runner, in a server of its node."""
    here = ray.get_runtime_context().get_node_id()
    near = [server for server in config["servers"] if server["node"] == here]
    turn = ray.get(ray.get_actor(near[0]["name"]).turn.remote())
    return ccpark.make_vec(
        config["num_envs"],
        scenario=config["scenario"],
        duration_sec=10,
        address=near[turn % len(near)]["address"],
    )


class QuietStart(DefaultPPOTorchRLModule):
    """Noise of e^-2 changes the window by 10 % per step; RLlib begins with e^0, which fills the queue by itself."""

    def setup(self) -> None:
        super().setup()
        nn.init.constant_(self.pi.log_std, -2.0)


def main() -> None:
    parser = make_parser(__doc__, "rllib")
    parser.add_argument("--runners", type=int, default=2, help="environment runners, processes of the cluster")
    options = parser.parse_args()
    torch.set_num_threads(1)

    ray.init(include_dashboard=False, log_to_driver=False)  # a running cluster if there is one, or one of its own
    servers, places = start_servers(at_least=2)  # a server ends with its actor, and an actor with its last handle
    for number, place in enumerate(places):
        print(
            "server {}: node {node:.8} ({host}), actor pid {actor}, server pid {server}, {address}".format(
                number, **place
            )
        )
    register_env("ccpark", make_envs)

    batch = ROLLOUT * NUM_ENVS
    config = (
        PPOConfig()
        .environment("ccpark", env_config={"servers": places, "scenario": options.scenario})
        .env_runners(
            num_env_runners=options.runners,
            num_envs_per_env_runner=max(1, NUM_ENVS // options.runners),
            gym_env_vectorize_mode="vector_entry_point",
            rollout_fragment_length=ROLLOUT,
            num_cpus_per_env_runner=0.5,
        )
        .learners(num_learners=0)
        .training(
            train_batch_size_per_learner=batch,
            minibatch_size=512,
            num_epochs=5,
            lr=[[0, 1e-3], [max(options.steps, batch), 0.0]],
            gamma=0.95,
            lambda_=0.95,
            clip_param=0.2,
            use_kl_loss=False,
            entropy_coeff=0.0,  # `ccpark train` has -0.005, which RLlib refuses
            vf_loss_coeff=0.5,
            vf_clip_param=float("inf"),
            grad_clip=0.5,
            grad_clip_by="global_norm",
        )
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=QuietStart,
                model_config=DefaultModelConfig(
                    fcnet_hiddens=[64, 64], fcnet_activation="tanh", vf_share_layers=False, free_log_std=True
                ),
            )
        )
        .debugging(seed=options.seed, log_level="ERROR")
    )
    algorithm = config.build_algo()
    for runner, node in zip(
        range(1, options.runners + 1),
        algorithm.env_runner_group.foreach_env_runner(
            lambda runner: f"node {ray.get_runtime_context().get_node_id():.8}, pid {os.getpid()}",
            local_env_runner=False,
        ),
        strict=True,
    ):
        print(f"runner {runner}: {node}")
    steps = 0
    while steps < options.steps:
        result = algorithm.train()
        steps = int(result["num_env_steps_sampled_lifetime"])
        reward = result["env_runners"].get("episode_return_mean", float("nan"))
        length = result["env_runners"].get("episode_len_mean", float("nan"))
        print(f"{steps:9,} steps: mean reward of a step {reward / length:.3f}")

    module = algorithm.get_module()
    actor = nn.Sequential(module.encoder.actor_encoder.net.mlp, module.pi.net.mlp).cpu()
    options.out.mkdir(parents=True, exist_ok=True)
    policy = options.out / f"rllib-ppo-seed{options.seed}.onnx"
    env = ccpark.make_vec(1, scenario=options.scenario)
    low, high = env.single_action_space.low, env.single_action_space.high
    # RLlib's actions are -1 to 1, and scaled to the box on their way to the environment
    error = ccpark.export_onnx(actor, policy, env=env, action_rule="scale", made_by=f"ray {ray.__version__} PPO")
    env.close()
    algorithm.stop()
    del servers
    ray.shutdown()
    print(f"{policy}: the exported graph differs from the model by at most {error:.1e} of the action box")

    @torch.no_grad()
    def act(observation: np.ndarray) -> np.ndarray:
        action = actor(torch.as_tensor(observation)).numpy()
        return np.clip((low + high) / 2 + (high - low) / 2 * action, low, high)

    compare(act, policy, options.scenario, options.seeds)


if __name__ == "__main__":
    main()
