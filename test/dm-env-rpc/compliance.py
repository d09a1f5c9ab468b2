"""DeepMind's compliance suite of dm_env_rpc 1.1.7 against a running server, all its cases, and its adaptor for dm_env.

compliance.py HOST:PORT [DESCRIPTORS]: DESCRIPTORS is our dm_env_rpc.proto as `buf build` compiles it.
"""

import functools
import sys

import dm_env
import grpc
import numpy as np
from absl.testing import absltest
from dm_env_rpc.v1 import compliance, connection, dm_env_adaptor, dm_env_rpc_pb2, error, tensor_utils
from google.protobuf import descriptor_pb2

ADDRESS = sys.argv[1]
DESCRIPTORS = sys.argv[2] if len(sys.argv) > 2 else None
LAYOUTS = ("vector", "named")


@functools.cache
def channel():
    return grpc.insecure_channel(ADDRESS)


def connect():
    return connection.Connection(channel())


def settings(**values):
    return {name.replace("__", "."): tensor_utils.pack_tensor(value) for name, value in values.items()}


WORLD = settings(scenario="park-paper", durationSec=1.0, seed=7)


class WithWorld:
    """A connection, and a world that lives as long as the test class."""

    layout = "vector"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._connection = connect()
        cls._world = cls._connection.send(dm_env_rpc_pb2.CreateWorldRequest(settings=WORLD)).world_name

    @classmethod
    def tearDownClass(cls):
        try:
            cls._connection.send(dm_env_rpc_pb2.LeaveWorldRequest())
            cls._connection.send(dm_env_rpc_pb2.DestroyWorldRequest(world_name=cls._world))
        finally:
            cls._connection.close()
            super().tearDownClass()

    @property
    def connection(self):
        return self._connection

    @property
    def world_name(self):
        return self._world

    def join(self):
        request = dm_env_rpc_pb2.JoinWorldRequest(world_name=self._world, settings=settings(layout=self.layout))
        return self._connection.send(request).specs

    def leave(self):
        self._connection.send(dm_env_rpc_pb2.LeaveWorldRequest())


class CreateDestroyWorldTest(compliance.CreateDestroyWorld):
    """`scenario` is the one required setting."""

    def setUp(self):
        super().setUp()
        self._connection = connect()
        self.addCleanup(self._connection.close)

    @property
    def required_world_settings(self):
        return settings(scenario="park-paper")

    @property
    def invalid_world_settings(self):
        return settings(
            unknown=1, seed=-1, stepMs="slow", observation=3, maxEpisodeSteps=0.5, envId="ccpark/Nothing-v0"
        )

    @property
    def has_multiple_world_support(self):
        return True

    @property
    def connection(self):
        return self._connection


class JoinLeaveWorldTest(WithWorld, compliance.JoinLeaveWorld):
    @property
    def invalid_join_settings(self):
        return settings(layout="sideways", unknown=1)


class ResetTest(WithWorld, compliance.Reset):
    def join_world(self):
        return self.join()

    def tearDown(self):
        self.leave()
        super().tearDown()


class ResetWorldTest(WithWorld, compliance.ResetWorld):
    @property
    def required_reset_world_settings(self):
        return settings(seed=3)


class StepTest(WithWorld, compliance.Step):
    def setUp(self):
        super().setUp()
        self._specs = self.join()

    def tearDown(self):
        self.leave()
        super().tearDown()

    @property
    def specs(self):
        return self._specs


class NamedStepTest(StepTest):
    layout = "named"


class NamedJoinLeaveWorldTest(JoinLeaveWorldTest):
    @property
    def required_join_settings(self):
        return settings(layout="named")

    @property
    def invalid_join_settings(self):
        return settings(unknown=1)  # a required setting would replace a wrong one of its name


class AdaptorTest(WithWorld, absltest.TestCase):
    """What DeepMind's agents use."""

    def test_a_dm_env_episode_ends_by_time_with_discount_1(self):
        for self.layout in LAYOUTS:
            with self.subTest(layout=self.layout):
                env = dm_env_adaptor.DmEnvAdaptor(self.connection, self.join())
                step = env.reset()
                self.assertEqual(step.step_type, dm_env.StepType.FIRST)
                steps, rewards = 0, 0.0
                while not step.last():
                    step = env.step({name: np.zeros(s.shape, s.dtype) for name, s in env.action_spec().items()})
                    for name, spec in env.observation_spec().items():
                        spec.validate(step.observation[name])
                    rewards += step.reward
                    steps += 1
                self.assertEqual(step.discount, 1)
                self.assertGreater(steps, 10)
                self.assertNotEqual(rewards, 0)
                self.assertEqual(env.step({}).step_type, dm_env.StepType.FIRST)
                self.leave()

    def test_a_stream_survives_a_hundred_errors(self):
        specs = self.join()
        self.connection.send(dm_env_rpc_pb2.StepRequest())
        for _ in range(100):
            with self.assertRaises(error.DmEnvRpcError):
                self.connection.send(dm_env_rpc_pb2.StepRequest(requested_observations=[99]))
        response = self.connection.send(dm_env_rpc_pb2.StepRequest(requested_observations=specs.observations.keys()))
        self.assertEqual(response.state, dm_env_rpc_pb2.EnvironmentStateType.RUNNING)
        self.leave()


class InterfaceTest(absltest.TestCase):
    def test_our_proto_is_the_published_interface(self):
        if DESCRIPTORS is None:
            self.skipTest("no compiled dm_env_rpc.proto was given")
        with open(DESCRIPTORS, "rb") as file:
            compiled = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        (ours,) = [f for f in compiled.file if f.name == "dm_env_rpc/v1/dm_env_rpc.proto"]
        published = descriptor_pb2.FileDescriptorProto.FromString(dm_env_rpc_pb2.DESCRIPTOR.serialized_pb)
        ours.ClearField("source_code_info")
        ours.DiscardUnknownFields()  # buf's own
        without_json_names(ours.message_type)
        self.assertEqual(ours, published)


def without_json_names(messages):
    """A compiler may leave them out, as they follow from the names."""
    for message in messages:
        for field in message.field:
            field.ClearField("json_name")
        without_json_names(message.nested_type)


if __name__ == "__main__":
    absltest.main(argv=[sys.argv[0], "--", *sys.argv[3:]], verbosity=1)
