"""The server of one's own, and what happens when it, the connection or the process goes away."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time

import gymnasium
import numpy as np
import pytest
from dropping_proxy import Proxy
from gymnasium.vector import AsyncVectorEnv

import ccpark
from ccpark import local_server
from ccpark.local_server import LocalServer, server_command, shared_server
from ccpark.session import Target


def make_env():
    """At module level, so that other processes can make it."""
    return gymnasium.make("ccpark/CongestionControl-v0", scenario="park-paper", duration_sec=2, step_ms=20)


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether the process ends in time; one that nobody waited for is gone, too."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def python(code: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def test_one_server_for_all_environments_of_a_process_and_own_ones_on_request(short):
    one, two = ccpark.CongestionControlEnv(**short), ccpark.make_vec(2, **short)
    assert one._session._connection.local is two._session._connection.local is shared_server()
    own = ccpark.CongestionControlEnv(server="own", **short)
    server = own._session._connection.local
    assert server is not shared_server()
    assert server.alive()
    own.close()
    assert not server.alive()
    assert shared_server().alive()
    one.close()
    two.close()


def test_an_address_needs_no_server_of_ones_own(short):
    server = LocalServer()
    env = ccpark.CongestionControlEnv(address=server.address, **short)
    assert env._session._connection.local is None
    env.reset(seed=1)
    env.close()
    server.stop()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")  # noqa: PTH112
@pytest.mark.parametrize("way", ["exit", "kill", "interrupt", "forgotten"])
def test_no_server_is_left_when_its_process_ends(way):
    process = python(
        f"""
        import os, signal, sys, time
        import ccpark
        env = ccpark.CongestionControlEnv(scenario="park-paper")
        env.reset(seed=1)
        print(env._session._connection.local.pid, flush=True)
        if {way!r} == "exit":
            env.close()
        elif {way!r} != "forgotten":
            time.sleep(60)
        """
    )
    pid = int(process.stdout.readline())
    if way == "kill":
        process.kill()
    elif way == "interrupt":
        process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert is_gone(pid), f"server {pid} still runs"
    if way in ("exit", "forgotten"):
        assert process.returncode == 0, stderr
        assert not stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_does_not_keep_the_server_alive(tmp_path):
    process = python(
        """
        import os, time
        import ccpark
        env = ccpark.CongestionControlEnv(scenario="park-paper")
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        print(env._session._connection.local.pid, child, flush=True)
        time.sleep(60)
        """
    )
    pid, child = map(int, process.stdout.readline().split())
    process.kill()
    try:
        assert is_gone(pid), f"server {pid} still runs"
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # multi-threaded and forks: Python 3.12
def test_async_vector_env_in_every_way_to_start_a_process(context):
    here = make_env()
    here.reset(seed=1)
    envs = AsyncVectorEnv([make_env] * 2, context=context)
    observations, _ = envs.reset(seed=1)
    expected, _ = here.reset(seed=1)
    assert np.array_equal(observations[0], expected)
    for _ in range(5):
        envs.step(np.zeros(envs.action_space.shape, np.float32))
    here.step(here.action_space.sample())  # the parent's own goes on
    envs.close()
    here.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_an_environment_that_was_forked_leaves_the_parents_session_alone(short):
    env = ccpark.CongestionControlEnv(**short)
    env.reset(seed=1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            env.step(env.action_space.sample())
        except gymnasium.error.ResetNeeded:
            env.reset(seed=1)
            env.step(env.action_space.sample())
            env.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    env.step(env.action_space.sample())
    env.close()


def test_a_server_that_died_is_told_and_a_reset_starts_another(short):
    env = ccpark.CongestionControlEnv(server="own", **short)
    env.reset(seed=1)
    os.kill(env._session._connection.local.pid, signal.SIGKILL)
    with pytest.raises(ccpark.CcparkError, match="the local server ended") as caught:
        env.step(env.action_space.sample())
    assert caught.value.code == "UNAVAILABLE"
    env.reset(seed=1)
    env.step(env.action_space.sample())
    env.close()


def fake_node(folder, script):
    path = folder / "node"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "`node` is not on the PATH"),
        ("echo v18.20.4", "needs? Node 20.19"),
        ("exit 3", "cannot run"),
        ("[ $1 = --version ] && echo v22.1.0 || { echo 'error: no such file' >&2; exit 1; }", "error: no such file"),
    ],
)
def test_a_node_that_cannot_serve_is_one_clear_sentence(monkeypatch, tmp_path, script, said, short):
    monkeypatch.delenv("CCPARK_SERVER_COMMAND", raising=False)
    monkeypatch.setattr(local_server, "_CLONE", tmp_path)  # something that exists
    if script is not None:
        fake_node(tmp_path, script)
    path = f"{tmp_path}:/usr/bin:/bin" if script is not None else str(tmp_path)
    monkeypatch.setenv("PATH", path)
    with pytest.raises(ccpark.CcparkError, match=said) as caught:
        ccpark.CongestionControlEnv(server="own", **short)
    assert "\n" not in str(caught.value)


def test_a_server_that_ends_without_a_word_is_told_with_its_exit_code(monkeypatch, short):
    monkeypatch.setenv("CCPARK_SERVER_COMMAND", "false")
    with pytest.raises(ccpark.CcparkError) as caught:
        ccpark.CongestionControlEnv(server="own", **short)
    assert str(caught.value) == "[ccpark] the server did not start: it ended with exit code 1 and said nothing"


def test_nobody_at_an_address_and_an_address_without_a_port(short):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ccpark.CcparkError, match=str(port)) as caught:
        ccpark.CongestionControlEnv(address=f"127.0.0.1:{port}", **short)
    assert caught.value.code == "UNAVAILABLE"
    assert str(caught.value).startswith(f"127.0.0.1:{port}: Failed to connect")
    for wrong in ("localhost", "http://127.0.0.1:1", "127.0.0.1:", "a b:1"):
        with pytest.raises(ValueError, match="address: got ") as refused:
            ccpark.CongestionControlEnv(address=wrong, **short)
        assert str(refused.value) == f"address: got {wrong!r}, expected host:port"


def test_a_token_is_stripped_and_one_that_cannot_be_sent_is_refused_unseen():
    assert Target(address="[::1]:5000", token=" secret\n").token == "secret"
    for wrong in ("sec\nret", "sec\x00ret", "s\u00e9cret", " \n"):
        with pytest.raises(ValueError, match=r"^token: got ") as refused:
            Target(address="localhost:5000", token=wrong)
        assert wrong not in str(refused.value)


@pytest.mark.parametrize("option", ["token", "root_certificates"])
def test_what_is_for_a_running_server_needs_its_address(option):
    with pytest.raises(ValueError, match=f"^{option}: needs an address"):
        ccpark.CongestionControlEnv(**{option: "x"})


def make_certificate(folder, name):
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / f"{name}.pem"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates")
def test_two_sides_that_disagree_about_tls_are_told_what_to_set(tmp_path, short):
    mine, other = make_certificate(tmp_path, "mine"), make_certificate(tmp_path, "other")
    tls = ["--tls-cert", str(mine), "--tls-key", str(tmp_path / "mine.key")]
    command = [*server_command(), "--port", "0", "--json", "--quiet", "--exit-with-stdin", *tls]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        address = json.loads(server.stdout.readline())["address"]
        ccpark.CongestionControlEnv(address=address, root_certificates=mine, **short).close()
        ccpark.CongestionControlEnv(address=address, root_certificates=mine.read_bytes(), **short).close()
        with pytest.raises(ccpark.CcparkError, match="if the server speaks TLS, set root_certificates"):
            ccpark.CongestionControlEnv(address=address, **short)
        with pytest.raises(ccpark.CcparkError, match="certificate is not trusted; set root_certificates"):
            ccpark.CongestionControlEnv(address=address, root_certificates=other, **short)
        with pytest.raises(ccpark.CcparkError, match="for another name; set address"):
            ccpark.CongestionControlEnv(
                address=address.replace("127.0.0.1", "localhost"), root_certificates=mine, **short
            )
        with pytest.raises(ccpark.CcparkError, match="root_certificates: got no certificate"):
            ccpark.CongestionControlEnv(address=address, root_certificates=b"none", **short)
        server.stdin.close()
    with pytest.raises(ccpark.CcparkError, match="does not speak TLS"):
        ccpark.CongestionControlEnv(address=shared_server().address, root_certificates=mine, **short)


def test_a_server_that_wants_a_token_is_told_so(tmp_path, short):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"sha256:{hashlib.sha256(b'secret').hexdigest()}\n")
    command = [*server_command(), "--port", "0", "--json", "--quiet", "--exit-with-stdin", "--token-file", str(tokens)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        address = json.loads(server.stdout.readline())["address"]
        ccpark.CongestionControlEnv(address=address, token="secret\n", **short).close()
        with pytest.raises(ccpark.CcparkError, match=r"; set token$"):
            ccpark.CongestionControlEnv(address=address, **short)
        server.stdin.close()


def test_a_server_that_never_answers_runs_into_the_deadline(short):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(ccpark.CcparkError):
            ccpark.CongestionControlEnv(address=f"127.0.0.1:{silent.getsockname()[1]}", timeout=1, **short)
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("option", "problem", "said"),
    [
        ({"scenaro": "park-paper"}, TypeError, "did you mean `scenario`"),
        ({"share": "mean"}, TypeError, "unknown option `share`"),
        ({"step_ms": -1}, ValueError, "^step_ms: Too small"),
        ({"action_delay_us": -1}, ValueError, "^action_delay_us: "),
        ({"duration_sec": -1}, ValueError, "^duration_sec: got -1, expected > 0$"),
        ({"scenario": {"extends": "park-paper", "flows": 3}}, ValueError, "^scenario: flows: got 3, expected a list$"),
        ({"action_policy": "ignore"}, ValueError, "action_policy"),
        ({"server": "mine"}, ValueError, "server"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"render_mode": "human"}, ValueError, "render_mode"),
        ({"info_keys": ["nothing"]}, ValueError, "^info_keys: .*`nothing`; known: .*rtt_us.* reward_delay$"),
        ({"scenario": "nowhere"}, ccpark.CcparkError, "nowhere"),
        ({"observation": "nothing"}, ccpark.CcparkError, "^unknown observation `nothing`; known: .*[^)]$"),
        ({"scenario": {"bad": print}}, TypeError, "plain data"),
    ],
)
def test_a_bad_option_is_named(option, problem, said):
    with pytest.raises(problem, match=said):
        ccpark.CongestionControlEnv(**option)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_dropped_connection_loses_no_step_and_takes_none_twice(short, depth):
    proxy = Proxy(shared_server().address)
    through, direct = ccpark.make_vec(2, address=proxy.address, **short), ccpark.make_vec(2, **short)
    assert np.array_equal(through.reset(seed=4)[0], direct.reset(seed=4)[0])
    rng = np.random.default_rng(2)
    for round_ in range(60):
        batches = rng.uniform(-1, 1, (depth, 2, 1)).astype(np.float32)
        for batch in batches:
            through.send(batch)
        if round_ % 15 == 7:
            proxy.drop()
        for batch in batches:
            left, right = through.recv(), direct.step(batch)
            for mine, other in zip(left[:4], right[:4], strict=True):
                assert mine.tobytes() == other.tobytes(), round_
    through.close()
    direct.close()
    proxy.close()


def test_an_interrupt_between_question_and_answer_mixes_nothing_up(short, monkeypatch):
    envs, other = ccpark.make_vec(2, **short), ccpark.make_vec(2, **short)
    envs.reset(seed=1)
    other.reset(seed=1)
    actions = envs.action_space.high

    class Interrupted:
        def __init__(self, call):
            self._call = call

        def __next__(self):
            raise KeyboardInterrupt

        def __getattr__(self, name):
            return getattr(self._call, name)

    session = envs._session
    call = session._call
    session._call = Interrupted(call)
    with pytest.raises(KeyboardInterrupt):
        envs.step(actions)
    session._call = call
    other.step(actions)
    left, right = envs.step(actions), other.step(actions)
    assert left[0].tobytes() == right[0].tobytes()
    envs.close()
    other.close()


def test_an_answer_that_does_not_come_is_a_deadline_and_a_reset_recovers(short):
    server = LocalServer()
    env = ccpark.CongestionControlEnv(address=server.address, timeout=1.5, **short)
    env.reset(seed=1)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(ccpark.CcparkError) as caught:
            env.step(env.action_space.sample())
        assert caught.value.code == "DEADLINE_EXCEEDED"
    finally:
        os.kill(server.pid, signal.SIGCONT)
    env.reset(seed=1)
    env.step(env.action_space.sample())
    env.close()
    server.stop()
