"""A `ccpark serve` of one's own: started when an environment names no address, gone with this process."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ccpark.errors import CcparkError

OLDEST_NODE = (20, 19)  # `engines` in package.json
START_SECONDS = 60.0  # a cold start on a busy machine takes a few
STOP_SECONDS = 5.0

# for nobody but this process: what a learner asks for is not to be refused
_LIMITS = ["--max-sessions", "100000", "--max-envs", "100000", "--max-message-mb", "1024"]
_ARGUMENTS = ["--port", "0", "--json", "--quiet", "--exit-with-stdin", *_LIMITS]

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_server" / "dist" / "cli" / "main.js"
_CLONE = _PACKAGE.parents[1] / "dist" / "cli" / "main.js"


def _unavailable(message: str) -> CcparkError:
    return CcparkError("UNAVAILABLE", f"[ccpark] {message}")


def _check_node(node: str) -> None:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        version = tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        raise _unavailable(f"cannot run {node}: {problem}") from problem
    if version < OLDEST_NODE:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise _unavailable(f"{node} is {said.strip()}, the environments need Node {wanted} or newer")


def server_command() -> list[str]:
    """The program that serves, without arguments: CCPARK_SERVER_COMMAND, else `node_program`.

    Raises:
        CcparkError: Node is missing or too old, or nothing is built.
    """
    override = os.environ.get("CCPARK_SERVER_COMMAND", "")
    return shlex.split(override) if override else [*node_program(), "serve"]


def node_program() -> list[str]:
    """The command line of ccpark, the package's, else the clone's, without arguments.

    Raises:
        CcparkError: Node is missing or too old, or nothing is built.
    """
    entry = next((path for path in (_BUNDLED, _CLONE) if path.exists()), None)
    if entry is None:
        raise _unavailable(f"no program: {_CLONE} does not exist; run `npm ci` in the clone, or pip install ./python")
    node = shutil.which("node")
    if node is None:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise _unavailable(f"`node` is not on the PATH: install Node {wanted} or newer, or give an address")
    _check_node(node)
    return [node, str(entry)]


def _stop(process: subprocess.Popen[str], stderr: IO[str], owner: int) -> None:
    if os.getpid() != owner:
        return
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()  # a polite end; the signals are for a server that hangs
    for signal in (None, "terminate", "kill"):
        if signal is not None:
            getattr(process, signal)()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            break
    stderr.close()


class LocalServer:
    """One server process, with further arguments of `ccpark serve`.

    It ends by `stop`, with this process however that ends, and when nobody refers to it.
    """

    address: str

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        command = [*server_command(), *_ARGUMENTS, *arguments]
        # a file, so that nobody has to read it; a full pipe would stop the server
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
                start_new_session=True,  # Ctrl-C is for the learner, which may want to save first
            )
        except OSError as problem:
            self._stderr.close()
            raise _unavailable(f"cannot start {command[0]}: {problem.strerror}") from problem
        self.stop = weakref.finalize(self, _stop, self._process, self._stderr, os.getpid())
        _started_here.add(self)
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        stdout = self._process.stdout
        assert stdout is not None
        threading.Thread(target=_pump, args=(stdout, lines), name="ccpark-server", daemon=True).start()
        try:
            first = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            self.stop()
            raise _unavailable(f"the server said nothing within {START_SECONDS:.0f} s") from None
        try:
            self.address = json.loads(first)["address"]
        except (ValueError, KeyError, TypeError):
            why = self.last_words() or first.strip() or self._silent_end()
            self.stop()
            raise _unavailable(f"the server did not start: {why}") from None

    def _silent_end(self) -> str:
        code = self._process.poll()
        return "it said nothing" if code is None else f"it ended with exit code {code} and said nothing"

    @property
    def pid(self) -> int:
        """Of the server process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.stop.alive and self._process.poll() is None

    def last_words(self) -> str:
        """The last line of its stderr."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        if self._stderr.closed:
            return ""
        self._stderr.seek(0)
        lines = self._stderr.read().strip().splitlines()
        return lines[-1] if lines else ""


def _pump(stdout: IO[str], lines: queue.SimpleQueue[str]) -> None:
    """The ready line; what comes after it is read so that the pipe never fills up."""
    with contextlib.suppress(OSError, ValueError), stdout:
        lines.put(stdout.readline())
        for _ in stdout:
            pass


_started_here: weakref.WeakSet[LocalServer] = weakref.WeakSet()
_shared: dict[tuple[str, ...], LocalServer] = {}  # by its further arguments
_lock = threading.Lock()


def shared_server(arguments: Sequence[str] = ()) -> LocalServer:
    """The server of this process with these arguments; it starts with the first call, and again if it died."""
    with _lock:
        server = _shared.get(tuple(arguments))
        if server is None or not server.alive():
            server = _shared[tuple(arguments)] = LocalServer(arguments)
        return server


def _after_fork() -> None:
    """The servers are the parent's: a child must neither use them nor hold the pipes that keep them alive."""
    global _shared, _lock, _started_here
    _lock = threading.Lock()
    _shared = {}
    for server in list(_started_here):
        server.stop.detach()
        stdin = server._process.stdin
        if stdin is not None:
            with contextlib.suppress(OSError):
                stdin.close()
    _started_here = weakref.WeakSet()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
