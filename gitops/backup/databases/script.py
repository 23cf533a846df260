"""SQL scripts as dumping tools write them: their end, and what they hold."""

import hashlib
from collections.abc import Iterable, Iterator

from gitops.system.errors import UserError

_TAIL = 4096
_TELLING = 16
"""Bytes at the beginning of a line that tell what it is."""

_UNLIKE = (b"--", b"\\")
"""Beginnings of lines that differ from one dump to the next: comments with times, psql's random keys."""


def ended(chunks: Iterable[bytes], end: bytes, name: str) -> Iterator[bytes]:
    """Pass on a script, and raise when its last line, empty comments aside, does not begin with `end`.

    Args:
        chunks: the script.
        end: how the line begins that the tool writes when all is written.
        name: of the database, for people.

    Raises:
        UserError: the end is missing.
    """
    tail = b""
    for chunk in chunks:
        tail = (tail + chunk)[-_TAIL:]
        yield chunk
    words = [line for line in tail.splitlines() if line not in (b"", b"--")]
    if not words or not words[-1].startswith(end):
        raise UserError(f"the dump of {name} lacks its end, though no error was reported")


def replaced(chunks: Iterable[bytes], old: bytes, new: bytes) -> Iterator[bytes]:
    """Pass on a script with other bytes in place of some, wherever these stand."""
    kept = b""
    for chunk in chunks:
        kept = (kept + chunk).replace(old, new)
        ready = max(0, len(kept) - len(old) + 1)
        yield kept[:ready]
        kept = kept[ready:]
    yield kept


class ScriptDigest:
    """Counts and hashes the statements of a script as it passes by, comments left out."""

    def __init__(self, beginning: str, what: str, *, but: str = "--") -> None:
        """Begin with an empty script.

        Args:
            beginning: lines that begin so are counted, `CREATE TABLE` say.
            what: what is counted, in the plural, for people.
            but: lines that begin so are left out too.
        """
        self._counted = beginning.encode()
        self._unlike = (*_UNLIKE, but.encode())
        self._what = what
        self._hash = hashlib.sha256()
        self._size = self._count = 0
        self._beginning = b""
        self._in_line = self._leaving_out = False

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on a script, and take it in."""
        for chunk in chunks:
            self._add(chunk)
            yield chunk
        self._take(self._beginning)

    def __str__(self) -> str:
        """Say what was taken in: `12 tables, 3456 bytes, sha256:0123456789abcdef`."""
        return f"{self._count} {self._what}, {self._size} bytes, sha256:{self._hash.hexdigest()[:16]}"

    def _add(self, chunk: bytes) -> None:
        data = self._beginning + chunk
        end = data.rfind(b"\n") + 1
        lines, rest = data[:end], data[end:]
        if not self._take_together(lines):
            for line in lines.split(b"\n")[:-1]:
                self._take(line + b"\n")
                self._in_line = False
        # What a line is shows in its first bytes; they wait until they are there.
        self._beginning = b""
        if self._in_line or len(rest) >= _TELLING:
            self._take(rest)
        else:
            self._beginning = rest

    def _take_together(self, lines: bytes) -> bool:
        """Take whole lines at once, as almost all of a script can be; False: some are to be left out."""
        left_out = self._leaving_out if self._in_line else lines.startswith(self._unlike)
        if not lines or left_out or any(b"\n" + words in lines for words in self._unlike):
            return False
        self._count += lines.count(b"\n" + self._counted)
        self._count += not self._in_line and lines.startswith(self._counted)
        self._hash.update(lines)
        self._size += len(lines)
        self._in_line = False
        return True

    def _take(self, piece: bytes) -> None:
        if not self._in_line:
            self._in_line = True
            self._leaving_out = piece.startswith(self._unlike)
            self._count += piece.startswith(self._counted)
        if not self._leaving_out:
            self._hash.update(piece)
            self._size += len(piece)
