"""The Python client of `npm run bench:grpc -- --python PATH`: times of steps and of a raw echo of the same bytes.

Reads one object from its arguments and prints one per window: {"what", "times" (us), "cpuUs" (of this process, per
round trip)}, and at last what the episodes say.
"""

from __future__ import annotations

import json
import queue
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np

import ccpark

LIMITS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Echo:
    """A stream of grpcio alone, fed by a queue as that of the package is."""

    def __init__(self, address: str, request_bytes: int, answer_bytes: int, hand_offs: int) -> None:
        self._request = struct.pack("<IB", answer_bytes, hand_offs).ljust(request_bytes, b"\0")
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        stream = grpc.insecure_channel(address, LIMITS).stream_stream("/ccpark.bench.Echo/Stream")
        self._answers = stream(iter(self._requests.get, None))

    def __call__(self) -> None:
        """One round trip."""
        self._requests.put(self._request)
        next(self._answers)

    def close(self) -> None:
        """Ends the stream."""
        self._requests.put(None)


class Steps:
    """Steps of a vector of environments, `depth` of them under way at a time."""

    def __init__(self, setup: dict[str, Any], depth: int) -> None:
        self._env = ccpark.make_vec(
            setup["numEnvs"], scenario=setup["scenario"], address=setup["address"], **setup["options"]
        )
        self._actions = np.zeros(self._env.action_space.shape, np.float32)
        self._actions[:, 0] = setup["cwndPackets"]
        self.utilisation: list[float] = []
        self._env.reset(seed=1)
        for _ in range(depth - 1):
            self._env.send(self._actions)

    def __call__(self) -> None:
        """One of all environments."""
        self._env.send(self._actions)
        infos = self._env.recv()[4]
        if "cc_episode" in infos:
            ended = infos["cc_episode"]["metrics"]
            self.utilisation.extend(ended["utilisation"][ended["_utilisation"]])

    def close(self) -> None:
        """Frees the session."""
        self._env.close()


def window(name: str, round_trip: Callable[[], None], seconds: float) -> dict[str, Any]:
    """Round trips for a while, timed one by one."""
    times: list[float] = []
    cpu = time.process_time()
    began = time.perf_counter()
    until = began + seconds
    while began < until:
        round_trip()
        now = time.perf_counter()
        times.append((now - began) * 1e6)
        began = now
    return {"what": name, "times": times, "cpuUs": (time.process_time() - cpu) * 1e6 / len(times)}


def main() -> None:
    """All contenders in turns, the order turned around from run to run; the first run warms up."""
    setup: dict[str, Any] = json.loads(sys.argv[1])
    steps = [Steps(setup, depth) for depth in setup["depths"]]
    echo = Echo(setup["echoAddress"], setup["requestBytes"], setup["answerBytes"], setup["handOffs"])
    contenders: list[tuple[str, Any]] = [("echo", echo)]
    contenders += [(f"step, {depth} under way", one) for depth, one in zip(setup["depths"], steps, strict=True)]
    for run in range(setup["runs"] + 1):
        for name, contender in contenders if run % 2 == 0 else reversed(contenders):
            measured = window(name, contender, setup["windowMs"] / 1e3)
            if run > 0:
                print(json.dumps(measured), flush=True)
    utilisation = [value for one in steps for value in one.utilisation]
    print(json.dumps({"what": "episodes", "utilisation": float(np.mean(utilisation)) if utilisation else None}))
    for _, contender in contenders:
        contender.close()


if __name__ == "__main__":
    main()
