"""A session of the service and the stream that steps it: one message out, one message in, in order.

A stream that breaks is opened again within `RESUME_SECONDS`; the session's token and the number of the last answer
make sure that no step is lost and none is taken twice.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import threading
import time
import uuid
import warnings
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import grpc
import numpy as np
import numpy.typing as npt
from gymnasium import error

from ccpark.errors import CcparkError, from_rpc_error, raise_status
from ccpark.local_server import LocalServer, shared_server
from ccpark.v1 import environment_pb2 as pb

RESUME_SECONDS = 20.0  # a third of the lease that a session has by default
CLOSE_SECONDS = 2.0  # the lease frees a session that cannot be closed
LARGEST_SEED = 2**53 - 1  # the service's numbers are doubles
_SERVICE = "/ccpark.v1.EnvService/"
_CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # the server has the limit
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


_ADDRESS = re.compile(r"(\[[^\s\[\]/]+\]|[^\s:/\[\]]+):[0-9]{1,5}")


def _checked_token(token: object) -> str:
    """Without the white space around it, which files end with; messages do not repeat it, since it is a secret."""
    stripped = token.strip() if isinstance(token, str) else None
    if stripped is None:
        raise ValueError(f"token: got {type(token).__name__}, expected text")
    if not stripped:
        raise ValueError("token: got nothing but white space, expected a token")
    if not (stripped.isascii() and stripped.isprintable()):
        raise ValueError("token: got control characters or others outside of ASCII, expected printable ASCII")
    return stripped


@dataclass(frozen=True)
class Target:
    """`ConnectionOptions`, checked."""

    address: str | None = None
    token: str | None = None
    root_certificates: str | os.PathLike[str] | bytes | None = None
    server: Literal["shared", "own"] = "shared"
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if self.server not in ("shared", "own"):
            raise ValueError(f"server: got {self.server!r}, expected 'shared' or 'own'")
        if not self.timeout > 0:
            raise ValueError(f"timeout: got {self.timeout}, expected seconds above 0")
        if self.address is not None and not _ADDRESS.fullmatch(str(self.address)):
            raise ValueError(f"address: got {self.address!r}, expected host:port")
        for name in ("token", "root_certificates"):
            if self.address is None and getattr(self, name) is not None:
                raise ValueError(f"{name}: needs an address, host:port of a running `ccpark serve`; got none")
        if self.token is not None:
            object.__setattr__(self, "token", _checked_token(self.token))

    def secure(self) -> bool:
        """Whether calls are encrypted: a token must not travel in the clear, except to this machine."""
        if self.root_certificates is not None:
            return True
        host = (self.address or "").rpartition(":")[0].strip("[]")
        return self.token is not None and host not in ("localhost", "::1") and not host.startswith("127.")


class Connection:
    """A channel to one server, and the local server if there is one."""

    def __init__(self, target: Target, arguments: Sequence[str] = ()) -> None:
        """With further arguments of `ccpark serve`, for a local server."""
        self.timeout = target.timeout
        self.local: LocalServer | None = None
        if target.address is None:
            self.local = shared_server(arguments) if target.server == "shared" else LocalServer(arguments)
            self.address = self.local.address
        else:
            self.address = target.address
        self.metadata = () if target.token is None else (("authorization", f"Bearer {target.token}"),)
        self._secure = target.secure()
        if self._secure:
            roots = target.root_certificates
            pem = roots if roots is None or isinstance(roots, bytes) else Path(roots).read_bytes()
            credentials = grpc.ssl_channel_credentials(root_certificates=pem)
            self.channel = grpc.secure_channel(self.address, credentials, options=_CHANNEL_OPTIONS)
        else:
            self.channel = grpc.insecure_channel(self.address, options=_CHANNEL_OPTIONS)
        self.own_server = self.local if target.server == "own" else None

    def call(self, method: str, request: Any, answer: Any, timeout: float | None = None) -> Any:
        """One unary call.

        Raises:
            CcparkError, ValueError, ResetNeeded: what the service says.
        """
        invoke = self.channel.unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return invoke(request, timeout=timeout or self.timeout, metadata=self.metadata)
        except grpc.RpcError as problem:
            raise self.describe(problem) from None

    def describe(self, problem: grpc.RpcError) -> Exception:
        """The exception for a call that failed; a local server that died tells its last words."""
        if self.local is not None and not self.local.alive():
            why = self.local.last_words() or "no last words"
            return CcparkError("UNAVAILABLE", f"[ccpark] the local server ended: {why}")
        return from_rpc_error(problem, self.address, self._secure)

    def close(self) -> None:
        """May be called twice."""
        self.channel.close()
        if self.own_server is not None:
            self.own_server.stop()


class _Watchdog:
    """Ends streams whose answer does not come: a stream of gRPC has no deadline for one message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: weakref.WeakSet[Session] = weakref.WeakSet()
        self._pid = 0

    def watch(self, session: Session) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._streams = weakref.WeakSet()
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="ccpark-watchdog", daemon=True).start()
            self._streams.add(session)

    def _run(self) -> None:
        while True:
            time.sleep(0.25)
            now = time.monotonic()
            with self._lock:
                streams = list(self._streams)
            for session in streams:
                session.check_deadline(now)
            del streams
            session = None  # type: ignore[assignment]  # holds no environment alive while it sleeps


_watchdog = _Watchdog()


class Session:
    """The environments of one client. Not thread-safe, except `check_deadline`."""

    def __init__(self, connection: Connection, request: pb.CreateSessionRequest) -> None:
        self._connection = connection
        request.request_id = str(uuid.uuid4())
        created: pb.CreateSessionResponse = connection.call("CreateSession", request, pb.CreateSessionResponse)
        self.description = created
        for note in created.notes:
            warnings.warn(f"[ccpark] {note}", UserWarning, stacklevel=2)
        self._id, self._token = created.session_id, created.session_token
        self._seq = 0
        self._unanswered: deque[tuple[int, bytes]] = deque()
        self._waiting_until = float("inf")
        self._timed_out = False
        self.broken: Exception | None = None
        try:
            self._open_stream(None)
            _watchdog.watch(self)
        except grpc.RpcError as problem:
            raise connection.describe(problem) from None

    # the stream

    def _open_stream(self, last_seq_received: int | None) -> int:
        """Attaches a new stream; answers the number of the last request that the server has taken."""
        requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._requests = requests
        invoke: Any = self._connection.channel.stream_stream(
            _SERVICE + "Connect", request_serializer=None, response_deserializer=pb.ConnectResponse.FromString
        )
        attach = pb.AttachRequest(session_id=self._id, session_token=self._token)
        if last_seq_received is not None:
            attach.last_seq_received = last_seq_received
            attach.take_over = True
        requests.put(pb.ConnectRequest(attach=attach).SerializeToString())
        self._call: Any = invoke(iter(requests.get, None), metadata=self._connection.metadata)
        answer = self._next_answer()
        return int(answer.attach.last_seq_applied)

    def _next_answer(self) -> pb.ConnectResponse:
        self._waiting_until = time.monotonic() + self._connection.timeout
        try:
            answer: pb.ConnectResponse = next(self._call)
        except StopIteration:
            gone = CcparkError("UNAVAILABLE", f"{self._connection.address}: the server ended the stream")
            raise self._break(gone) from None
        finally:
            self._waiting_until = float("inf")
        return answer

    def check_deadline(self, now: float) -> None:
        """For the watchdog."""
        if now > self._waiting_until:
            self._timed_out = True
            self._call.cancel()

    def _resume(self, problem: grpc.RpcError) -> None:
        """Opens the stream again and sends what was not taken; raises if that cannot be."""
        if self._timed_out:
            seconds = self._connection.timeout
            raise self._break(CcparkError("DEADLINE_EXCEEDED", f"no answer within {seconds:g} s"))
        until = time.monotonic() + RESUME_SECONDS
        pause = 0.05
        while True:
            lost = problem.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
            local = self._connection.local
            if not lost or time.monotonic() > until or (local is not None and not local.alive()):
                raise self._break(self._connection.describe(problem))
            self._requests.put(None)
            try:
                applied = self._open_stream(self._unanswered[0][0] - 1)
            except grpc.RpcError as again:
                problem = again
            else:
                for seq, data in self._unanswered:
                    if seq > applied:
                        self._requests.put(data)
                return
            time.sleep(pause)
            pause = min(2 * pause, 2.0)

    def _break(self, why: Exception) -> Exception:
        self.broken = why
        self._requests.put(None)
        return why

    # requests

    @property
    def in_flight(self) -> int:
        """Requests without an answer so far."""
        return len(self._unanswered)

    def _send(self, request: pb.ConnectRequest) -> None:
        data = request.SerializeToString()
        self._unanswered.append((self._seq, data))
        self._requests.put(data)

    def send_step(self, actions: bytes) -> None:
        """Sends packed float32 actions of all rows."""
        self._check()
        if len(self._unanswered) >= self.description.max_in_flight:
            raise CcparkError("RESOURCE_EXHAUSTED", f"[ccpark] {len(self._unanswered)} steps wait for their answers")
        self._seq += 1
        self._send(pb.ConnectRequest(step=pb.StepRequest(seq=self._seq, actions=(actions,))))

    def receive(self) -> pb.ConnectResponse:
        """The answer to the oldest request.

        Raises:
            CcparkError, ValueError, ResetNeeded: what the service says.
        """
        seq = self._unanswered[0][0]
        try:
            while True:
                try:
                    answer = self._next_answer()
                except grpc.RpcError as problem:
                    self._resume(problem)
                    continue
                if answer.seq == seq:
                    break  # smaller ones belong to requests that an interrupt gave up
        finally:
            self._unanswered.popleft()
        if answer.HasField("error"):
            raise_status(answer.error)
        return answer

    def step(self, actions: bytes) -> pb.StepResponse:
        """Sends and waits."""
        self.send_step(actions)
        return self.receive().step

    def reset(
        self,
        seeds: int | Sequence[int] | None,
        mask: npt.NDArray[np.bool_] | None = None,
        options: dict[str, Any] | None = None,
    ) -> pb.ResetResponse:
        """Resets the environments; of all, or of those in `mask`, a flag per environment."""
        self._check()
        if self._unanswered:
            raise error.AlreadyPendingCallError("reset while steps wait for their answers", "step")
        for seed in [seeds] if isinstance(seeds, int) else seeds or ():
            if not 0 <= seed <= LARGEST_SEED:
                raise ValueError(f"seed: got {seed}, expected a whole number from 0 to 2**53 - 1")
        request = pb.ResetRequest(seq=self._seq + 1)
        if isinstance(seeds, int):
            request.seed = seeds
        elif seeds is not None:
            request.seeds.seeds.extend(seeds)
        if mask is not None:
            request.reset_mask = mask.tobytes()
        if options:
            request.options.update(options)
        self._seq += 1
        self._send(pb.ConnectRequest(reset=request))
        return self.receive().reset

    def render(self, env_index: int, mode: str) -> str | npt.NDArray[np.uint8]:
        """A picture of one environment's episode so far: text, or [height, width, 3]."""
        self._check()
        request = pb.RenderRequest(session_id=self._id, session_token=self._token, env_index=env_index, mode=mode)
        picture: pb.RenderResponse = self._connection.call("Render", request, pb.RenderResponse)
        if mode == "rgb_array":
            return np.array(np.frombuffer(picture.data, np.uint8)).reshape(tuple(picture.shape))
        return str(bytes(picture.data), "utf-8")

    def state(self, env_index: int) -> pb.GetStateResponse:
        """Ground truth of one environment, not to be learned from."""
        self._check()
        request = pb.GetStateRequest(session_id=self._id, session_token=self._token, env_index=env_index)
        answer: pb.GetStateResponse = self._connection.call("GetState", request, pb.GetStateResponse)
        return answer

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def close(self) -> None:
        """Frees the session; may be called twice."""
        if self.broken is None:
            self.broken = error.ClosedEnvironmentError("the environment is closed")
            self._requests.put(None)
            self._call.cancel()
            request = pb.CloseSessionRequest(session_id=self._id, session_token=self._token)
            with contextlib.suppress(CcparkError, ValueError):
                self._connection.call("CloseSession", request, pb.CloseSessionResponse, CLOSE_SECONDS)
        self._connection.close()
