"""A file of a snapshot that restic is giving out: begun at once, read when somebody has use for it."""

import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Self

from gitops.system.errors import UserError
from gitops.system.run import start

_CHUNK = 1 << 20
_PATIENCE = 10.0
"""Seconds in which restic ends when it is told to."""


class Outgoing:
    """Iterate for its chunks, once. Leaving the block before its end ends restic."""

    def __init__(
        self, command: list[str], environment: dict[str, str], refusal: Callable[[int, str], UserError]
    ) -> None:
        """Start restic; only from a thread that lives until all is read, or it is given up.

        Args:
            command: restic, tied to us, and its arguments.
            environment: variables for it.
            refusal: makes the error of exit status and standard error.
        """
        self._refusal = refusal
        self._process = start(command, env=environment)

    def __enter__(self) -> Self:
        """Give the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give it up."""
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """Give what is read, in chunks.

        Raises:
            UserError: it cannot be read to its end.
        """
        output, said = self._process.stdout, self._process.stderr
        if output is None or said is None:
            raise AssertionError
        while chunk := output.read(_CHUNK):
            yield chunk
        stderr = said.read().decode(errors="replace")
        if status := self._process.wait():
            raise self._refusal(status, stderr)

    def close(self) -> None:
        """End restic, unless it has ended, and let go of it.

        Told so by a signal, it takes its lock away; but not while it makes one, so once it gives something.
        """
        if self._process.poll() is None and self._process.stdout:
            select.select([self._process.stdout], [], [], _PATIENCE)
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):  # earlier, it would die of that
            if pipe is not None:
                pipe.close()
