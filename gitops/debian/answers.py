"""What apt answered before: the same question, to the same apt about the same archives, has the same answer.

An answer is a file of its own, a line a package, after a line with the hash of the rest. It says only which
packages they were: all else is looked up in the indexes that it is about.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package
from gitops.system import files
from gitops.system.run import run

_KEPT = 30 * 24 * 3600  # seconds after which an answer that nobody wanted again is forgotten
_FORM = 1  # to be raised when apt is asked otherwise


def question(*parts: object) -> str:
    """Name a question by all that its answer depends on, this host's apt among it."""
    return hashlib.sha256(repr((_FORM, _apt(), *parts)).encode()).hexdigest()


def recall(root: Path, asked: str, indexes: Indexes) -> list[Package] | None:
    """Give the answer to a question.

    Args:
        root: directory that keeps answers.
        asked: the question's name.
        indexes: what it is about.

    Returns:
        The packages; None when it is not known, or what is kept is not an answer.
    """
    path = root / asked
    try:
        digest, _, text = path.read_text().partition("\n")
    except (OSError, ValueError):
        return None
    if digest != _digest(asked, text):
        return None
    found = []
    for line in text.splitlines():
        name, version, architecture = line.split(" ")
        package = indexes.find(name, version, architecture)
        if package is None:
            return None
        found.append(package)
    with contextlib.suppress(OSError):
        os.utime(path)
    return found


def remember(root: Path, asked: str, packages: Iterable[Package]) -> None:
    """Keep an answer."""
    text = "".join(f"{each.name} {each.version} {each.architecture}\n" for each in packages)
    files.write(root / asked, f"{_digest(asked, text)}\n{text}", durable=False)


def forget(root: Path) -> None:
    """Remove the answers that nobody has wanted for long."""
    for path in root.glob("*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _KEPT:
                path.unlink()


def _digest(asked: str, text: str) -> str:
    return hashlib.sha256(f"{asked}\n{text}".encode()).hexdigest()


@cache
def _apt() -> str:
    return run(["apt-get", "--version"]).stdout.partition("\n")[0]
