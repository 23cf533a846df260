"""Packages, and the fast way to find a few among the tens of thousands of a Packages file.

The format is that of the Debian repository format: stanzas separated by an empty line, the field Package
first. A file is mapped, not read, and only where its stanzas begin is remembered: fields are parsed only of
those that are asked for.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from gitops.system.errors import UserError

_WORDS = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9+.-]* [A-Za-z0-9.+:~-]+ [a-z0-9-]+ [A-Za-z0-9][A-Za-z0-9+.-]* [!-~]+ [0-9a-f]+"
)


@dataclass(frozen=True, order=True)
class Package:
    """One version of a package in an archive.

    Args:
        name: its name.
        version: its version.
        architecture: its architecture, or all.
        source: name of its source package.
        archive: the fleet's name for the archive it is in.
        suite: the suite it is in.
        path: where its .deb is, below the mirror.
        size: bytes of the .deb.
        sha256: of the .deb, in lower-case hexadecimal.
    """

    name: str
    version: str
    architecture: str
    source: str
    archive: str
    suite: str
    path: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse what Debian does not allow, before it reaches a terminal, a message or a file name.

        Raises:
            ValueError: a name or version is not one (Debian Policy 5.6.7, 5.6.12).
        """
        words = (self.name, self.version, self.architecture, self.source, self.path, self.sha256)
        if not _WORDS.fullmatch(" ".join(words)):
            raise ValueError(f"{self.name!r} {self.version!r} is not a package as Debian Policy has it")


class PackageList:
    """A Packages file on disk, which must not change."""

    def __init__(self, path: Path) -> None:
        """Map a file and find where the stanzas of each name begin."""
        with path.open("rb") as file:
            empty = not path.stat().st_size
            self._data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._starts: dict[bytes, int | list[int]] = {}
        for start in self._stanza_starts():
            name = self._name(start)
            before = self._starts.setdefault(name, start)
            if isinstance(before, list):
                before.append(start)
            elif before != start:
                self._starts[name] = [before, start]
        self._forget()

    def names(self) -> Iterator[str]:
        """Give the name of every package."""
        return (name.decode() for name in self._starts)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a package of that name."""
        return name.encode() in self._starts

    def stanzas(self, name: str) -> list[str]:
        """Give the stanza of each version of a package, without its last newline."""
        starts = self._starts.get(name.encode(), [])
        return [self._stanza(start) for start in ([starts] if isinstance(starts, int) else starts)]

    @cached_property
    def essential(self) -> frozenset[str]:
        """The name of every package that is Essential (Debian Policy 3.8)."""
        found, position = set(), -1
        while (position := self._data.find(b"\nEssential: yes\n", position + 1)) >= 0:
            before = self._data.rfind(b"\n\n", 0, position)
            found.add(self._name(0 if before < 0 else before + 2).decode())
        self._forget()
        return frozenset(found)

    def provides(self, name: str) -> bool:
        """Tell whether a package of another name provides this one (Debian Policy 7.5); slow, for errors."""
        position = -1
        while (position := self._data.find(b"\nProvides: ", position + 1)) >= 0:
            line = self._data[position + 11 : self._data.find(b"\n", position + 11)].decode()
            if name in (word.strip().partition(" ")[0] for word in line.split(",")):
                return True
        return False

    def _forget(self) -> None:
        """Give back the memory of what was looked through; what is asked for is mapped again by itself."""
        if isinstance(self._data, mmap.mmap):
            self._data.madvise(mmap.MADV_DONTNEED)

    def _stanza_starts(self) -> Iterator[int]:
        find, start, end = self._data.find, 0, len(self._data)
        while start < end:
            yield start
            start = find(b"\n\n", start) + 2
            if start == 1:
                return

    def _name(self, start: int) -> bytes:
        return self._data[start + len(b"Package: ") : self._data.find(b"\n", start)]

    def _stanza(self, start: int) -> str:
        end = self._data.find(b"\n\n", start)
        return self._data[start : end if end >= 0 else None].decode().rstrip("\n")


@lru_cache(maxsize=32)
def package_list(path: Path) -> PackageList:
    """Map a Packages file whose name is its hash, once."""
    return PackageList(path)


def fields(stanza: str) -> dict[str, str]:
    """Parse the fields of a stanza that fit on one line; of longer ones, their first line."""
    lines = (line.partition(":") for line in stanza.splitlines() if not line.startswith((" ", "\t")))
    return {name: value.strip() for name, _, value in lines}


def source_version(stanza: str) -> str:
    """Give the version of the source that a package was built from (Debian Policy 5.6.1)."""
    values = fields(stanza)
    stated = re.search(r"\(([^()\s]+)\)", values.get("Source", ""))
    return stated[1] if stated else values["Version"]


def package(stanza: str, archive: str, suite: str) -> Package:
    """Make a package of its stanza in a Packages file.

    Raises:
        UserError: a field is missing, or says what Debian Policy does not allow.
    """
    values = fields(stanza)
    try:
        return Package(
            name=values["Package"],
            version=values["Version"],
            architecture=values["Architecture"],
            source=values.get("Source", values["Package"]).partition(" ")[0],
            archive=archive,
            suite=suite,
            path=values["Filename"],
            size=int(values["Size"]),
            sha256=values["SHA256"],
        )
    except (KeyError, ValueError) as error:
        raise UserError(f"an index of {archive}/{suite} has a broken entry: {error}") from error
