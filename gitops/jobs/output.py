"""Where a job's output goes: a file that cannot grow without end, of which there are not endlessly many.

`STATE/jobs/INSTANCE/JOB/TIME.log` has the output and nothing else, so far as it fits: its first and its last
MiB, with a line between them that says how much is missing. A job that says nothing has no file.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from gitops.system.places import Places

PART = 1 << 20
"""Bytes that are kept of the beginning, and as many of the end."""

_KEPT = 500
_KEPT_BYTES = 16 << 20
_KEPT_SECONDS = 30 * 86400
_RECORD = 256 << 10
"""Bytes that a disk which is full gets back, so that there is room to record that it was."""


class JobLog:
    """The output of one run."""

    def __init__(self, path: Path, show: Callable[[bytes], object] | None = None) -> None:
        """Begin with nothing.

        Args:
            path: the file; it is made when there is something to write.
            show: is given everything as it comes, until it raises OSError.
        """
        self.path = path
        self.lost = ""
        """Why the file lacks output: a full disk, say; empty when it does not."""
        self._show = show
        self._file = -1
        self._written = 0
        self._tail = bytearray()
        self._cut = 0

    @property
    def there(self) -> bool:
        """Tell whether there is a file."""
        return self._file >= 0

    def write(self, piece: bytes) -> None:
        """Take output; where it cannot be kept, the job goes on all the same."""
        if self._show:
            try:
                self._show(piece)
            except OSError:  # whoever looked on does so no more
                self._show = None
        head = piece[: max(0, PART - self._written)]
        self._written += len(head)
        if head:
            self._put(head)
        self._tail += piece[len(head) :]
        if len(self._tail) > 2 * PART:
            self._shorten()

    def ending(self, size: int) -> bytes:
        """Give the last bytes, at most so many; before `close`."""
        if self._tail or self._file < 0:
            return bytes(self._tail[-size:])
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - size))
            return file.read()

    def close(self) -> None:
        """Write what is held back, and let go of the oldest logs of this job."""
        if len(self._tail) > PART:
            self._shorten()
        if self._cut:
            self._put(f"\n-- {self._cut} bytes are cut out here --\n".encode())
        if self._tail:
            self._put(bytes(self._tail))
        if self._file >= 0:
            os.close(self._file)
            _let_go(self.path.parent)

    def _shorten(self) -> None:
        self._cut += len(self._tail) - PART
        del self._tail[:-PART]

    def _put(self, piece: bytes) -> None:
        if self.lost:
            return
        try:
            if self._file < 0:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = os.open(self.path, flags, 0o640)
            while piece:
                piece = piece[os.write(self._file, piece) :]
        except OSError as error:
            self.lost = error.strerror or str(error)
            if self._file >= 0:
                os.ftruncate(self._file, max(0, os.fstat(self._file).st_size - _RECORD))


def log_directory(places: Places, instance: str, name: str) -> Path:
    """Give the directory of a job's logs."""
    return places.state / "jobs" / instance / name


def logs(places: Places, instance: str, name: str) -> list[Path]:
    """List a job's logs, oldest first."""
    return sorted(log_directory(places, instance, name).glob("*.log"))


def _let_go(directory: Path) -> None:
    """Remove logs that are too many, too old or together too big; the newest stays."""
    oldest, room = time.time() - _KEPT_SECONDS, _KEPT_BYTES
    with os.scandir(directory) as entries:
        found = sorted(
            (entry.name, entry.stat(), entry.path) for entry in entries if entry.name.endswith(".log")
        )
    for position, (_, status, path) in enumerate(reversed(found)):
        room -= status.st_size
        if position and (position >= _KEPT or room < 0 or status.st_mtime < oldest):
            Path(path).unlink(missing_ok=True)
