"""Whether a fleet is as it was when it was read, told from its files alone.

What was worked out from a fleet may be kept beside its state: while that is the same, it holds.
"""

import hashlib
import os
import socket
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gitops.system.places import Places
from gitops.system.program import program

_MANY = 20_000
_NO_DEFINITIONS = frozenset({".git", "rendered"})


def state_of(root: Path, host: str | None, places: Places) -> str:
    """Give a hash of all that decides what is defined: files, by names, times and sizes; host and program.

    Empty where it cannot be told, or only by looking at more files than reading the definitions would take.

    Args:
        root: the fleet's directory, or a copy of it that a host keeps.
        host: the host's name; None: the fleet's only one, or the one called like this machine.
        places: this machine's directories.
    """
    try:
        files = sorted(islice(_files(str(root.resolve())), _MANY + 1))
    except OSError:
        return ""
    if len(files) > _MANY:
        return ""
    state = (program(), str(root.resolve()), host, socket.gethostname(), str(places), files)
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _files(directory: str) -> Iterator[tuple[str, int, int, int]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path) if entry.name not in _NO_DEFINITIONS else ()
            else:
                about = entry.stat(follow_symlinks=entry.is_file())
                yield entry.path, about.st_mtime_ns, about.st_ctime_ns, about.st_size
