"""Locks between processes; the kernel lets go of them when their holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops.system.errors import UserError


class BusyError(UserError):
    """Another process holds the lock."""


@contextmanager
def exclusive(path: Path, what: str, *, wait: float = 0) -> Iterator[None]:
    """Hold a lock file while the block runs.

    Args:
        path: the lock file; it stays behind, empty of meaning.
        what: what the lock protects, for the message ("the host web1").
        wait: seconds to wait for another holder.

    Raises:
        BusyError: another process holds it still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise BusyError(
                        f"{what} is in use by another gitops; try again when it is done"
                    ) from error
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
