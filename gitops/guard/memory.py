"""What files of definitions say as YAML, remembered in the repository from one judgement to the next.

That follows from a file's bytes alone, whoever sent them and whatever became of it: so it is kept by their
digest, and nothing of a verdict is. What no longer can be told to be true is forgotten as a whole: that of
another version, that of another account, that which is damaged.
"""

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import ruamel.yaml

from gitops import __version__
from gitops.fleet import document, yaml
from gitops.fleet.document import Document, read
from gitops.guard.install import REMEMBERED
from gitops.system.errors import Problem
from gitops.system.files import write

_OTHERS_MAY_WRITE = 0o022
_LARGEST = 1 << 26  # bytes; a fleet of a thousand apps has 700,000


class Memory:
    """What the files of one fleet said when they were last judged.

    Args:
        repository: the repository's own directory.
        fleet: where the fleet is in it.
    """

    def __init__(self, repository: Path, fleet: str) -> None:
        """Take what is there."""
        whose = hashlib.sha256(f"{os.geteuid()} {fleet}".encode(errors="surrogateescape"))
        self._file = repository / REMEMBERED / whose.hexdigest()
        self._known = _remembered(self._file)
        self._used: dict[bytes, bytes] = {}

    def read(self, path: Path, file: str) -> tuple[Document | None, list[Problem]]:
        """Read a file of definitions, as `gitops.fleet.document.read` does."""
        try:
            data = path.read_bytes()
        except OSError:
            return read(path, file)
        digest = hashlib.sha256(data).hexdigest().encode()
        if text := self._known.get(digest):
            self._used[digest] = text
            return Document(path, file, json.loads(text)), []
        found, problems = read(path, file)
        # What an alias stands for would be written out each time, and may be very much.
        if found and not problems and b"&" not in data and (text := _text(found.content)):
            self._used[digest] = text
        return found, problems

    def keep(self) -> None:
        """Remember what was read, and only that, for the next time; where that cannot be, nothing is lost."""
        if self._used.keys() == self._known.keys():
            return
        body = b"".join(b"%b %b\n" % pair for pair in sorted(self._used.items()))
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            write(self._file, _head(body) + body, 0o600, durable=False)


def _remembered(file: Path) -> dict[bytes, bytes]:
    """Give what a file holds, digest to JSON, if it is what this account and this program have written."""
    try:
        with file.open("rb") as opened:
            about = os.fstat(opened.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > _LARGEST:
                return {}
            if about.st_uid != os.geteuid() or about.st_mode & _OTHERS_MAY_WRITE:
                return {}
            head, body = opened.readline(), opened.read()
    except OSError:
        return {}
    if head != _head(body):
        return {}
    pairs = (line.partition(b" ") for line in body.splitlines())
    return {digest: text for digest, _, text in pairs}


def _text(content: dict[Any, Any]) -> bytes | None:
    """Write what a file says as JSON; None where JSON has no word for it, as for a key that is a number."""
    try:
        text = json.dumps(content)
    except (TypeError, ValueError, RecursionError):
        return None
    return text.encode() if json.loads(text) == content else None


def _head(body: bytes) -> bytes:
    """Give the first line of a file: what read the definitions, and the digest of what follows."""
    return f"{_reader()} {hashlib.sha256(body).hexdigest()}\n".encode()


@cache
def _reader() -> str:
    """Name all that decides what a text says."""
    python = ".".join(map(str, sys.version_info[:3]))
    code = hashlib.sha256()
    for module in (yaml, document):
        code.update(Path(str(module.__file__)).read_bytes())
    return f"gitops-{__version__} ruamel-{ruamel.yaml.__version__} python-{python} {code.hexdigest()}"
