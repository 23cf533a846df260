"""A command in a container, or a container of its own for it, with its output, and without the docker SDK.

Importing the SDK takes longer than what is asked for here. Formats: Engine API 1.41, "Exec" and "Containers".
"""

import contextlib
import socket
import struct
import time
from typing import Any

from gitops.engine.connection import AwayError, address, ask, away, refusal, refused, remove, tell
from gitops.system.errors import UserError

_HEADER = struct.Struct(">BxxxI")  # stream, then size of the chunk that follows
_PIECE = 65536
_WHAT = "cannot run a command"
_ANSWER = 120
"""Seconds in which the engine has to begin."""

_KEPT = (
    *("Binds", "Mounts", "Tmpfs", "ShmSize", "CapAdd", "CapDrop"),
    *("SecurityOpt", "ReadonlyRootfs", "ExtraHosts"),
)
"""What of a container's HostConfig one like it has too: no limits, no ports."""


class Output:
    """What a command writes, both of its streams in the order in which it comes."""

    def __init__(self, path: str, body: bytes = b"") -> None:
        """Have the engine start something, and take over the connection for its output.

        Args:
            path: path of the API call.
            body: the call's JSON.

        Raises:
            UserError: the engine is away, or would not start it.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = b""
        self._left = 0
        try:
            self._socket.connect(address().removeprefix("unix://"))
            self._socket.sendall(
                f"POST {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
                f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            self._header()
        except OSError as error:
            self._socket.close()
            raise away(_WHAT) from error
        except BaseException:
            self._socket.close()
            raise

    def read(self, timeout: float) -> bytes:
        """Wait for the next piece of output; empty at its end, also when the engine goes away.

        Args:
            timeout: seconds to wait.

        Raises:
            TimeoutError: nothing came.
        """
        deadline = time.monotonic() + timeout
        while not self._left:
            while len(self._buffer) < _HEADER.size:
                if not self._more(deadline):
                    return b""
            _, self._left = _HEADER.unpack_from(self._buffer)
            self._buffer = self._buffer[_HEADER.size :]
        if not self._buffer and not self._more(deadline):
            return b""
        piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the connection; that does not end the command."""
        self._socket.close()

    def _more(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            piece = self._socket.recv(_PIECE)
        except TimeoutError:
            raise
        except OSError:  # the engine was killed
            return False
        self._buffer += piece
        return bool(piece)

    def _header(self) -> None:
        deadline = time.monotonic() + _ANSWER
        while b"\r\n\r\n" not in self._buffer:
            if not self._more(deadline):
                raise away(_WHAT)
        header, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if header.partition(b" ")[2][:3] not in {b"101", b"200"}:
            raise refused(_WHAT, refusal(self._buffer))


def create_exec(container: str, body: dict[str, Any]) -> str:
    """Prepare a command in a running container; give its id.

    Args:
        container: the container's id.
        body: `Cmd`, `Env`, `User`, `WorkingDir`.
    """
    body = {"AttachStdout": True, "AttachStderr": True, **body}
    return str(tell(_WHAT, f"/containers/{container}/exec", body)["Id"])


def start_exec(made: str) -> Output:
    """Start a prepared command."""
    return Output(f"/exec/{made}/start", b'{"Detach":false,"Tty":false}')


def exec_status(made: str, timeout: float) -> int:
    """Wait for the exit status of a command; an engine that is away is waited for, too.

    Args:
        made: the id that `create_exec` gave.
        timeout: seconds.

    Raises:
        TimeoutError: it still runs, or no engine answers.
        UserError: the engine does not know it: its container is gone, or the engine has been started anew.
    """
    return _status(f"/exec/{made}/json", (), timeout)


def exec_process(made: str) -> int:
    """Give the number, as this machine has it, of a command's first process; 0 when it has ended.

    Raises:
        UserError: no engine answers, or it does not know the command.
    """
    told = ask(_WHAT, f"/exec/{made}/json")
    return int(told["Pid"]) if told["Running"] else 0


def exec_begun(made: str) -> bool | None:
    """Tell whether a prepared command runs; None: it was not begun. Errors as for `exec_process`."""
    told = ask(_WHAT, f"/exec/{made}/json")
    return None if not told["Running"] and told["ExitCode"] is None else bool(told["Running"])


def runs_since(container: str) -> str:
    """Tell since when a container runs, RFC 3339 in UTC; empty when it does not, or is gone.

    Raises:
        AwayError: no engine answers.
    """
    try:
        state = ask(_WHAT, f"/containers/{container}/json")["State"]
    except AwayError:
        raise
    except UserError:
        return ""
    return str(state["StartedAt"]) if state["Running"] else ""


def create_like(container: str, name: str, body: dict[str, Any], labels: dict[str, str]) -> str:
    """Make a container like another: its image, volumes, secrets, networks and rights, no limits, no ports.

    Args:
        container: id of the other.
        name: what it is called.
        body: what is otherwise: `Cmd`, `User`, `WorkingDir`; `Env` comes besides the other's.
        labels: its only labels, so that nobody takes it for a service's container.

    Returns:
        Its id.
    """
    like = ask(_WHAT, f"/containers/{container}/json")
    config, host = like["Config"], like["HostConfig"]
    networks = list(like["NetworkSettings"]["Networks"])
    made = tell(
        _WHAT,
        f"/containers/create?name={name}",
        {
            "Image": like["Image"],
            "Cmd": body["Cmd"],
            "Entrypoint": [],
            "User": body.get("User") or config["User"],
            "WorkingDir": body.get("WorkingDir") or config["WorkingDir"],
            "Env": [*(config["Env"] or ()), *body["Env"]],
            "Healthcheck": {"Test": ["NONE"]},
            "Labels": labels,
            "HostConfig": {
                **{key: host[key] for key in _KEPT if host.get(key)},
                "NetworkMode": next(iter(networks), "none"),
                "Init": True,
                "LogConfig": {"Type": "none"},
            },
        },
    )["Id"]
    for network in networks[1:]:
        tell(_WHAT, f"/networks/{network}/connect", {"Container": made})
    return str(made)


def attach(container: str) -> Output:
    """Take the output of a container that has not started yet."""
    return Output(f"/containers/{container}/attach?stream=1&stdout=1&stderr=1")


def start(container: str) -> None:
    """Start a container."""
    tell(_WHAT, f"/containers/{container}/start")


def container_status(container: str, timeout: float) -> int:
    """Wait for the exit status of a container; as `exec_status`."""
    return _status(f"/containers/{container}/json", ("State",), timeout)


def remove_container(container: str, patience: float = 0) -> None:
    """Remove a container by name or id, running or not; one that is gone already is no error.

    Args:
        container: name or id.
        patience: seconds to wait for an engine that is away.

    Raises:
        AwayError: no engine answers.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            remove(_WHAT, f"/containers/{container}?force=1&v=1")
        except AwayError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.2)
            continue
        except UserError:
            pass
        return


def _status(path: str, inside: tuple[str, ...], timeout: float) -> int:
    deadline, pause = time.monotonic() + timeout, 0.002
    while True:
        with contextlib.suppress(AwayError):
            told = ask(_WHAT, path)
            for key in inside:
                told = told[key]
            if not told["Running"]:
                if isinstance(told["ExitCode"], int):
                    return told["ExitCode"]
                raise UserError("the engine does not know how it ended")
        if time.monotonic() >= deadline:
            raise TimeoutError
        time.sleep(pause)
        pause = min(2 * pause, 0.5)
