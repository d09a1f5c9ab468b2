"""Errors of the service as Python exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from gymnasium import error

from ccpark.options import EnvOptions, to_snake

_ROOTS = "set root_certificates to the certificate of its authority, PEM bytes or a path"

# what gRPC says of a connection that was not encrypted alike on both sides, and what helps
_TLS_MISTAKES = {
    "CERTIFICATE_VERIFY_FAILED": f"the server's certificate is not trusted; {_ROOTS}",
    "Hostname Verification": "the server's certificate is for another name; set address to a name that it has",
    "security handshaker": "root_certificates: got no certificate, expected PEM bytes or the path of a PEM file",
    "WRONG_VERSION_NUMBER": "the server does not speak TLS, which root_certificates and a token for another machine "
    "want; leave them out, or serve with --tls-cert and --tls-key",
    "SSL_ERROR": f"no TLS connection; {_ROOTS}",
    "handshake failed": f"no TLS connection; {_ROOTS}",
}
_CLOSED = "Socket closed"


class CcparkError(error.Error):
    """What the service or the connection to it refused; `code` is the name of a gRPC status, such as "NOT_FOUND"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[CcparkError], tuple[str, str]]:
        return type(self), (self.code, self.message)


def make_error(code: str, message: str) -> Exception:
    """INVALID_ARGUMENT is a `ValueError`, FAILED_PRECONDITION `ResetNeeded`, everything else `CcparkError`."""
    if code == "INVALID_ARGUMENT":
        return ValueError(message)
    if code == "FAILED_PRECONDITION":
        return error.ResetNeeded(message)
    return CcparkError(code, message)


@contextmanager
def needs_library(what: str, packages: str) -> Iterator[None]:
    """For imports of optional libraries: says what `pip install` brings them.

    Raises:
        ModuleNotFoundError: one is missing.
    """
    try:
        yield
    except ModuleNotFoundError as problem:
        missing = (problem.name or "a library").partition(".")[0]
        raise ModuleNotFoundError(f"{what} needs {missing}: pip install {packages}", name=problem.name) from None


def _in_python(message: str, field: str) -> str:
    """The message, with the field to blame under the name that it has here."""
    parts = field.removeprefix("kwargs.").split(".")
    of_scenario = len(parts) == 2 and parts[0] == "scenario" and to_snake(parts[1]) in EnvOptions.__annotations__
    camel = parts[1] if of_scenario else parts[0]  # `duration_sec` is a member of the scenario there
    snake = to_snake(camel)
    if snake == "info_keys":
        message = to_snake(message)
    message = re.sub(rf"\b{re.escape(camel)}\b", snake, message.removeprefix("wrong option at "))
    return message if snake in message else f"{snake}: {message}"


def _readable(message: str, status: status_pb2.Status) -> str:
    """What the service says, without the part of it that speaks."""
    message = re.sub(r"^\[[\w-]+\] ", "", message)
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if not detail.Unpack(bad):
            continue
        for violation in bad.field_violations:
            if violation.field:
                message = _in_python(message, violation.field)
    return message


def raise_status(status: status_pb2.Status) -> NoReturn:
    """Raises what an error inside of a stream says."""
    raise make_error(code_pb2.Code.Name(status.code), _readable(status.message, status))


def _of_connection(message: str, secure: bool) -> str:
    """What gRPC says of a connection, short, and what helps where the two sides disagree about TLS."""
    if not secure and _CLOSED in message:
        return f"the connection was closed; if the server speaks TLS, {_ROOTS} ({_CLOSED})"
    for sign, advice in _TLS_MISTAKES.items():
        if secure and sign.lower() in message.lower():
            return f"{advice} ({sign})"
    return re.sub(r"^.*last error: (\w+: )?(ipv[46]:\S+: )?", "", message, flags=re.DOTALL)


def from_rpc_error(problem: grpc.RpcError, address: str, secure: bool) -> Exception:
    """The exception for a failed call."""
    code: grpc.StatusCode = problem.code()
    message = problem.details() or code.name
    if not message.startswith("["):  # the service's own messages say which part of it speaks
        return make_error(code.name, f"{address}: {_of_connection(message, secure)}")
    status = status_pb2.Status()
    trailing: Any = problem.trailing_metadata()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
    message = _readable(message, status)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        message = f"{message}; set token"
    return make_error(code.name, message)
