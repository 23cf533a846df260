"""SQLite databases that lie in a volume which is restored too: put into it before anybody uses it."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from gitops.backup.databases import Dump
from gitops.backup.databases.sqlite import whole
from gitops.system.errors import UserError

_BESIDE_IT = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a database that was in use when its volume was copied; it belongs to that copy."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def put(volume: Path, file: str, chunks: Iterable[bytes], *, like: str = "") -> str:
    """Write a dump into a volume that nobody uses, over the file that is there; give its fingerprint.

    Links in the volume are not followed: whoever wrote them must not say where on the host root writes.

    Args:
        volume: the directory on this machine.
        file: where the database is, from there on.
        chunks: a dump by `gitops.backup.databases.sqlite`.
        like: the name of a file beside it, whose owner and mode it gets where it is not there itself.

    Raises:
        UserError: the dump is not whole, or the way to the file leads through links.
    """
    *above, name = PurePosixPath(file).parts
    fresh = f"{name}.gitops-restore"
    if ".." in above or name == "..":
        raise UserError(f"{file} does not lie in the volume")
    dump = Dump(whole(chunks, name))
    try:
        with _opened(volume, above) as directory:
            with suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=directory)
            with os.fdopen(os.open(fresh, _FRESH, 0o600, dir_fd=directory), "wb") as out:
                out.writelines(dump)
                _own(out.fileno(), [name, like or name], directory)
            os.rename(fresh, name, src_dir_fd=directory, dst_dir_fd=directory)
            for end in _BESIDE_IT:
                with suppress(FileNotFoundError):
                    os.unlink(f"{name}{end}", dir_fd=directory)
    except OSError as error:
        raise UserError(f"{file} cannot be put into the volume: {error.strerror}") from error
    return dump.fingerprint


@contextmanager
def _opened(volume: Path, above: Iterable[str]) -> Iterator[int]:
    """Open a directory in a volume, step by step."""
    with ExitStack() as opened:

        def enter(name: str | Path, directory: int | None) -> int:
            descriptor = os.open(name, _DIRECTORY, dir_fd=directory)
            opened.callback(os.close, descriptor)
            return descriptor

        found = enter(volume, None)
        for name in above:
            found = enter(name, found)
        yield found


def _own(descriptor: int, examples: Iterable[str], directory: int) -> None:
    """Give a file the owner and mode of the first example that is there; otherwise the directory's owner."""
    owner, mode = os.fstat(directory), 0o640
    for name in examples:
        with suppress(FileNotFoundError):
            there = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISREG(there.st_mode):
                owner, mode = there, stat.S_IMODE(there.st_mode)
                break
    os.fchown(descriptor, owner.st_uid, owner.st_gid)
    os.fchmod(descriptor, mode)
