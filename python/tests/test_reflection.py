"""A client that knows nothing of the services but what reflection tells, and calls them."""

from __future__ import annotations

import struct
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (  # type: ignore[import-untyped]
    ProtoReflectionDescriptorDatabase,
)

from ccpark.local_server import LocalServer

SERVICES = {
    "ccpark.v1.EnvService",
    "dm_env_rpc.v1.Environment",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}


class Reflected:
    """Calls methods by name, with messages made of the descriptors that the server tells."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = DescriptorPool(self._database)

    def services(self) -> set[str]:
        return set(self._database.get_services())

    def call(self, path: str, **fields: Any) -> Any:
        service, name = path.split("/")
        method: MethodDescriptor = self.pool.FindServiceByName(service).methods_by_name[name]
        request_type = message_factory.GetMessageClass(method.input_type)
        response_type = message_factory.GetMessageClass(method.output_type)
        call = self._channel.unary_unary(
            f"/{path}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response_type.FromString,
        )
        return call(request_type(**fields), timeout=30)


@pytest.fixture
def reflected():
    server = LocalServer()
    with grpc.insecure_channel(server.address) as channel:
        yield Reflected(channel)
    server.stop()


def test_every_service_is_listed_and_its_files_are_complete(reflected):
    assert reflected.services() == SERVICES
    for name in SERVICES:
        service = reflected.pool.FindServiceByName(name)
        assert len(service.methods) > 0
        assert service.file.name.endswith(".proto")
    environment = reflected.pool.FindFileByName("ccpark/v1/environment.proto")
    imported = {file.name for file in environment.dependencies}
    assert {"google/protobuf/struct.proto", "google/protobuf/duration.proto"} <= imported
    create = reflected.pool.FindMessageTypeByName("ccpark.v1.CreateSessionRequest")
    assert create.fields_by_name["max_episode_steps"].has_presence
    assert create.fields_by_name["kwargs"].message_type.full_name == "google.protobuf.Struct"


def test_health_and_a_session_are_called_through_reflection_alone(reflected):
    health = reflected.call("grpc.health.v1.Health/Check", service="ccpark.v1.EnvService")
    assert health.status == 1  # SERVING
    session = reflected.call(
        "ccpark.v1.EnvService/CreateSession",
        env_id="ccpark/CongestionControl-v0",
        num_envs=1,
        kwargs={"scenario": "park-paper"},
    )
    keys = {"session_id": session.session_id, "session_token": session.session_token}
    reset = reflected.call("ccpark.v1.EnvService/Reset", seq=1, seed=7, **keys)
    (width,) = session.single_observation_space.box.shape
    assert len(reset.observations[0]) == 4 * width
    (actions,) = session.single_action_space.box.shape
    step = reflected.call(
        "ccpark.v1.EnvService/Step", seq=2, actions=[struct.pack(f"<{actions}f", *[0.0] * actions)], **keys
    )
    assert len(step.rewards) == 8
    assert step.truncated == b"\0"
