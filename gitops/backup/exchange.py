"""Two directories change places in one step (renameat2(2), RENAME_EXCHANGE)."""

import ctypes
import os
from pathlib import Path

from gitops.system.errors import UserError

_HERE = -100  # AT_FDCWD of fcntl.h: paths are taken as they are
_EXCHANGE = 2


def exchange(one: Path, other: Path) -> None:
    """Let two paths of one file system change places; nobody ever sees one of them missing.

    Raises:
        UserError: the file system cannot do it; nothing has changed.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        raise UserError(f"{one} cannot change places with {other}: {os.strerror(ctypes.get_errno())}")
