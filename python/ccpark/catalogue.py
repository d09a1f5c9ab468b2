"""What there is by name: scenarios, observations, actions, rewards and info keys, as the service tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from typing_extensions import Unpack

from ccpark.options import ConnectionOptions
from ccpark.session import Connection, Target
from ccpark.v1 import environment_pb2 as pb

SINGLE_FLOW = "ccpark/CongestionControl-v0"
MULTI_FLOW = "ccpark/MultiFlow-v0"


def describe_env(env_id: str = SINGLE_FLOW, **connection: Unpack[ConnectionOptions]) -> pb.DescribeEnvResponse:
    """What an environment offers: `observations`, `actions`, `rewards`, `scenarios`, `info_keys`, with definitions.

    Args:
        env_id: "ccpark/CongestionControl-v0" or "ccpark/MultiFlow-v0".
        **connection: as for the environments; without an address the server of this process answers.

    Raises:
        CcparkError: no such environment, or nobody answers.
    """
    there = Connection(Target(**cast("Mapping[str, Any]", connection)))
    try:
        answer: pb.DescribeEnvResponse = there.call(
            "DescribeEnv", pb.DescribeEnvRequest(env_id=env_id), pb.DescribeEnvResponse
        )
    finally:
        there.close()
    return answer
