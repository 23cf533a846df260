"""A small disk in memory that tests fill; mounting it needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """A small disk of its own."""

    root: Path

    def fill(self) -> None:
        """Leave no room on it."""
        with (self.root / "filler").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass
        assert os.statvfs(self.root).f_bavail < 16

    def leave(self, size: int) -> None:
        """Leave so many bytes on it."""
        os.truncate(self.root / "filler", (self.root / "filler").stat().st_size - size)

    def free(self) -> None:
        """Make room again."""
        (self.root / "filler").unlink(missing_ok=True)


@contextmanager
def small_disk(root: Path, megabytes: int) -> Iterator[Disk]:
    """Mount one at a directory, which is made."""
    root.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", root], check=True)
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)
