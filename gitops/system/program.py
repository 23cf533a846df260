"""What this program is, and how it is called again."""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import gitops
from gitops.system.shipped import shipped


def program() -> str:
    """Tell this program from any other state of it: a checkout changes without its version changing.

    Returns:
        The version, and a hash of the names and times of its files and templates.
    """
    directories = (Path(gitops.__file__).parent, shipped("templates"))
    files = sorted(file for directory in directories for file in _files(directory))
    return f"{gitops.__version__} {hashlib.sha256(repr(files).encode()).hexdigest()}"


def itself() -> list[str]:
    """Give the command that runs this program again, called as it was, since cron's lines depend on that."""
    called = Path(sys.argv[0])
    if called.name == "gitops" and os.access(called, os.X_OK):
        return [str(called)]
    return [sys.executable, "-m", "gitops"]


def _files(directory: str | os.PathLike[str]) -> Iterator[tuple[str, int]]:
    """Give every file's path and time of change; scandir, because the agent asks at every look."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path) if entry.name != "__pycache__" else ()
            else:
                yield entry.path, entry.stat().st_mtime_ns
