"""Spaces of Gymnasium from those of the service."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from ccpark.errors import CcparkError
from ccpark.v1 import environment_pb2 as pb

ActionSpace = spaces.Box | spaces.Discrete


def box_from_wire(space: pb.Space) -> spaces.Box:
    """A float32 box.

    Raises:
        CcparkError: the service announced another kind of space, which this version does not know.
    """
    box = space.box
    if not space.HasField("box") or box.dtype != pb.DATA_TYPE_FLOAT32:
        raise CcparkError("UNIMPLEMENTED", "[ccpark] the service announced a space that is no float32 box")
    shape = tuple(box.shape)
    low = np.frombuffer(box.low, "<f4").astype(np.float32).reshape(shape)
    high = np.frombuffer(box.high, "<f4").astype(np.float32).reshape(shape)
    return spaces.Box(low, high, shape, np.float32)


def action_space_from_wire(space: pb.Space) -> ActionSpace:
    """A float32 box or int64 choices.

    Raises:
        CcparkError: the service announced another kind of space, which this version does not know.
    """
    if not space.HasField("discrete"):
        return box_from_wire(space)
    if space.discrete.dtype != pb.DATA_TYPE_INT64 or not space.discrete.choices:
        raise CcparkError("UNIMPLEMENTED", "[ccpark] the service announced choices that are no int64")
    return spaces.Discrete(len(space.discrete.choices))
