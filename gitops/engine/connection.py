"""Reaching the engine of this machine, and telling in plain words when it does not answer or refuses."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gitops.system.errors import UserError

if TYPE_CHECKING:
    from docker.api.client import APIClient

_DEFAULT = "unix:///var/run/docker.sock"
_PATIENCE = 120
"""Seconds that one answer may take."""


class AwayError(UserError):
    """No engine answers; that says nothing about the thing that it was asked for."""


class FullError(UserError):
    """A disk of the engine is full; that says nothing about the thing that it was asked for."""


def address() -> str:
    """Say where the engine is: what `DOCKER_HOST` names, otherwise the system's socket.

    Raises:
        UserError: it is not a socket of this machine.
    """
    found = os.environ.get("DOCKER_HOST") or _DEFAULT
    if not found.startswith("unix://"):
        raise UserError(
            f"the engine at {found} is not on this machine",
            hint="gitops works on the host itself: unset DOCKER_HOST, or make it unix:///PATH",
        )
    return found


def connect() -> "APIClient":
    """Connect, agreeing on an API version that both sides speak.

    Raises:
        UserError: no engine answers.
    """
    with telling("cannot reach the engine"):
        from docker.api.client import APIClient  # noqa: PLC0415  # it takes 80 ms

        return APIClient(base_url=address(), version="auto", timeout=_PATIENCE, max_pool_size=32)


def ask(what: str, path: str) -> Any:  # noqa: ANN401  # whatever JSON the engine answers
    """Ask the engine one question (GET) without the SDK, whose import takes longer than most answers.

    Args:
        what: what cannot be done when it fails.
        path: path and query of the API call; without an API version the engine answers in its own.

    Raises:
        UserError: no engine answers, or it refuses.
    """
    return _call(what, f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())


def tell(what: str, path: str, body: dict[str, Any] | None = None, *, patience: float = _PATIENCE) -> Any:  # noqa: ANN401  # whatever JSON the engine answers
    """Tell the engine something (POST) that the SDK has no words for, or would take too long to load for.

    Arguments as for `ask`; `patience` is how many seconds the answer may take.
    """
    content = b"" if body is None else json.dumps(body).encode()
    head = f"POST {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\n"
    return _call(what, f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content, patience)


def remove(what: str, path: str) -> None:
    """Have the engine remove something (DELETE); arguments as for `ask`."""
    _call(what, f"DELETE {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())


def _call(what: str, request: bytes, patience: float = _PATIENCE) -> Any:  # noqa: ANN401  # as above
    """Send a request; as HTTP/1.0 has it, the answer is over when the connection closes."""
    answer = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(address().removeprefix("unix://"))
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError as error:
        raise away(what) from error
    header, over, body = answer.partition(b"\r\n\r\n")
    if not over:
        raise away(what)
    if header.partition(b" ")[2][:1] != b"2":
        raise refused(what, refusal(body))
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:  # it broke off in the middle
        raise away(what) from error


def follow(what: str, path: str, headers: Mapping[str, str], *, patience: float = _PATIENCE) -> Iterator[Any]:
    """Tell the engine something (POST) that it reports on while it does it: a line of JSON at a time.

    Args:
        what: what cannot be done when it fails.
        path: path and query of the API call.
        headers: to send besides.
        patience: seconds that it may say nothing.

    Raises:
        UserError: no engine answers, it refuses, or it breaks off.
    """
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST {path} HTTP/1.0\r\nHost: engine\r\n{head}Content-Length: 0\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(address().removeprefix("unix://"))
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                status = answer.readline().split(b" ")
                while answer.readline().strip():
                    pass
                if len(status) < 2 or status[1][:1] != b"2":  # noqa: PLR2004  # version and number
                    raise refused(what, refusal(answer.read()))
                for line in answer:
                    yield json.loads(line)
    except TimeoutError as error:
        raise refused(what, f"the engine has said nothing for {patience:g} s") from error
    except (OSError, ValueError) as error:
        raise away(what) from error


def refusal(body: bytes) -> str:
    """Give the engine's own words from the body of an answer that is a refusal."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()


def refused(what: str, reason: str, hint: str = "") -> UserError:
    """Say what the engine has refused, in its own words."""
    kind = FullError if "no space left on device" in reason else UserError
    return kind(f"{what}: {reason}", hint=hint)


def away(what: str) -> AwayError:
    """Say that no engine answers, and what to do."""
    return AwayError(
        f"{what}: no container engine answers at {address()}",
        hint="start it (systemctl start docker), or join the group docker and log in again",
    )


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn what the SDK raises into a UserError that says what was being done."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415  # the SDK takes 80 ms to import
    from requests.exceptions import RequestException  # noqa: PLC0415  # it comes with the SDK

    try:
        yield
    except APIError as error:
        reason = str(error.explanation or error)
        hint = ""
        if "address pool" in reason:
            hint = "give the engine more networks: default-address-pools in /etc/docker/daemon.json"
        raise refused(what, reason, hint) from error
    except (DockerException, RequestException) as error:
        raise away(what) from error
