"""Waking the agent of this machine before its time: any datagram to the socket `RUNTIME/agent.sock` does."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from gitops.system.errors import UserError
from gitops.system.places import Places

_NAME = "agent.sock"


@contextmanager
def listen(places: Places, woken: Callable[[], None]) -> Iterator[None]:
    """Call `woken` in a thread for each knock while the block runs; only this user may knock."""
    places.runtime.mkdir(parents=True, exist_ok=True)
    path = places.runtime / _NAME
    path.unlink(missing_ok=True)
    over = Event()

    def answer() -> None:
        while server.recv(64) is not None and not over.is_set():
            woken()

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        os.fchmod(server.fileno(), 0o600)  # before it has a name, so that it never has another mode
        _at(places.runtime, server.bind)
        thread = Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)  # which ends recv
            thread.join()
            path.unlink(missing_ok=True)


def wake(places: Places) -> None:
    """Let the agent look now.

    Raises:
        UserError: no agent runs here.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        try:
            _at(places.runtime, lambda address: client.sendto(b"wake", address))
        except OSError as error:
            hint = "start it (systemctl start gitops-agent), or take one turn: gitops agent once"
            raise UserError(f"no agent can be woken here: {error.strerror}", hint=hint) from error


def _at(directory: Path, use: Callable[[str], object]) -> None:
    """Use the socket under a short name: the kernel takes no more than 107 bytes (unix(7))."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        use(f"/proc/self/fd/{descriptor}/{_NAME}")
    finally:
        os.close(descriptor)
