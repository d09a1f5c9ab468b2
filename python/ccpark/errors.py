"""Errors of the service as Python exceptions."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from gymnasium import error


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


def _with_fields(message: str, status: status_pb2.Status) -> str:
    """The message, and the field to blame where it does not say it itself."""
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if not detail.Unpack(bad):
            continue
        for violation in bad.field_violations:
            if violation.field and violation.field not in message:
                message = f"{message} (field {violation.field})"
    return message


def raise_status(status: status_pb2.Status) -> NoReturn:
    """Raises what an error inside of a stream says."""
    raise make_error(code_pb2.Code.Name(status.code), _with_fields(status.message, status))


def from_rpc_error(problem: grpc.RpcError, address: str) -> Exception:
    """The exception for a failed call."""
    code: grpc.StatusCode = problem.code()
    message = problem.details() or code.name
    trailing: Any = problem.trailing_metadata()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            message = _with_fields(message, status_pb2.Status.FromString(value))
    if not message.startswith("["):  # the service's own messages say which part of it speaks
        message = f"[grpc] {address}: {message}"
    return make_error(code.name, message)
