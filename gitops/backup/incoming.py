"""What comes over restic's standard input, and how a part of it is never taken for the whole.

At the end of its input restic saves a snapshot, whatever it has read until then. So its input must not end by
accident. It is one end of a pair of sockets, and restic holds the other end as well: however we die, restic
sees no end of input, and is killed instead (PR_SET_PDEATHSIG). The input ends by one deliberate call alone,
shutdown(2), which is made when everything has been written and was found whole. This holds for every version
of restic, and at every instant.
"""

import contextlib
import socket
import subprocess
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from gitops.system.run import start

Saved = TypeVar("Saved")


class Incoming(Generic[Saved]):
    """A snapshot of one file that is being written. Leaving the block without `finish` leaves no snapshot."""

    def __init__(
        self, command: list[str], environment: dict[str, str], ended: Callable[[int, str, str], Saved]
    ) -> None:
        """Start restic; only from a thread that lives until the snapshot is finished, or it is killed.

        Args:
            command: restic, tied to us, and its arguments, `--stdin` among them.
            environment: variables for it.
            ended: makes its answer of exit status, standard output and standard error, or raises.
        """
        self._ended = ended
        theirs, self._ours = socket.socketpair()
        with theirs:
            self._process = start(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                env=environment,
                inherited=[self._ours.fileno()],
            )

    def __enter__(self) -> Self:
        """Give the snapshot to be."""
        return self

    def __exit__(self, *_: object) -> None:
        """End restic, unless it has ended."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()
        self._ours.close()

    def write(self, chunk: bytes) -> None:
        """Write some of the file.

        Raises:
            UserError: restic has ended, and why.
        """
        try:
            self._ours.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            self.finish()
            raise AssertionError("restic did not take all of its input") from None

    def finish(self) -> Saved:
        """Say that the file is whole, and wait until the snapshot is saved; raises as `write` does."""
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_WR)
        stdout, stderr = self._process.communicate()
        return self._ended(
            self._process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace")
        )
