"""File systems in memory, where alone a decrypted value may lie."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gitops.system.errors import UserError

_MEMORY = {"tmpfs", "ramfs"}


def in_memory(path: Path) -> bool:
    """Tell whether a path is, or would be, on a file system in memory (proc_pid_mountinfo(5))."""
    place = path.resolve()
    found = ("", "")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split(" ")
        mounted, kind = fields[4].encode().decode("unicode_escape"), fields[fields.index("-") + 1]
        # The last one mounted at a place is the one that is seen; a longer path is nearer.
        if place.is_relative_to(mounted) and len(mounted) >= len(found[0]):
            found = (mounted, kind)
    return found[1] in _MEMORY


@contextmanager
def private_directory(*places: Path) -> Iterator[Path]:
    """Give a directory in memory that nobody else can enter; it goes with all that is in it.

    Args:
        places: where it may be; the first that is in memory is taken, otherwise /dev/shm.

    Raises:
        UserError: none is in memory.
    """
    for place in (*places, Path("/dev/shm")):  # noqa: S108  # a directory of its own is made there
        if in_memory(place):
            place.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix="gitops-", dir=place) as directory:
                yield Path(directory)
            return
    raise UserError(
        "this machine has no file system in memory where a secret could lie in the clear",
        hint="set GITOPS_RUNTIME to a directory on a tmpfs",
    )
