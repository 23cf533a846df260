"""The lock of one image on one architecture: the exact packages it adds to its parent, a line each.

`locks/NAME.ARCH.lock` starts with comments that say what was asked for, so that a lock that was made from
another definition can be told. Then comes one line a package, sorted by name, its columns at fixed places:
a line depends on nothing but its own package, so a diff of two locks shows the packages that changed and no
more.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops.debian.packages import Package
from gitops.system.errors import UserError

_FIRST = "# gitops lock 1"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECOND = re.compile(r"# image (\S+) on (\S+)")
_COLUMNS = (40, 32, 6, 32, 32, 88, 10, 64)
"""Width of name, version, architecture, source, archive/suite, path, size, sha256; longer ones push on."""


@dataclass(frozen=True)
class Lock:
    """The packages of an image that its parent does not have.

    Args:
        image: its name.
        architecture: in Debian's words.
        request: what the packages were resolved from: parent, archives, packages, recommends; a line each.
        packages: sorted by name.
    """

    image: str
    architecture: str
    request: tuple[str, ...]
    packages: tuple[Package, ...]


@dataclass(frozen=True)
class Change:
    """A package whose version differs between two locks; None where one of them does not have it."""

    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """Give `php8.4 8.4.27-1 → 8.4.28-1`, `tini new 0.19.0-1` or `tini removed`."""
        if self.old is None:
            return f"{self.name} new {self.new}"
        return f"{self.name} removed" if self.new is None else f"{self.name} {self.old} → {self.new}"


def format_lock(lock: Lock) -> str:
    """Write a lock as text; the same lock gives the same bytes."""
    header = [_FIRST, f"# image {lock.image} on {lock.architecture}", *(f"# {line}" for line in lock.request)]
    return "\n".join([*header, *(_line(package) for package in sorted(lock.packages))]) + "\n"


def parse_lock(text: str, file: str) -> Lock:
    """Read a lock back.

    Args:
        text: the file's content.
        file: its path as the user would write it, for errors.

    Raises:
        UserError: a line is not of the format; the message names file and line.
    """
    lines = text.splitlines()
    second = _SECOND.fullmatch(lines[1]) if len(lines) > 1 and lines[0] == _FIRST else None
    if not second:
        raise UserError(f"does not start with {_FIRST!r} and the image's name", file=file, hint=_AGAIN)
    request: list[str] = []
    packages: list[Package] = []
    for number, line in enumerate(lines[2:], start=3):
        if line.startswith("# "):
            request.append(line[2:])
            continue
        try:
            packages.append(_package(line))
        except ValueError as error:
            raise UserError("is not a line of a lock", file=f"{file}:{number}", hint=_AGAIN) from error
    return Lock(second[1], second[2], tuple(request), tuple(packages))


def changes(old: Iterable[Package], new: Iterable[Package]) -> list[Change]:
    """Give the packages that differ in version between two sets of packages, sorted by name."""
    before, after = _versions(old), _versions(new)
    return [
        Change(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


_AGAIN = "run gitops lock to write it again"


def _line(package: Package) -> str:
    values = (
        package.name,
        package.version,
        package.architecture,
        package.source,
        f"{package.archive}/{package.suite}",
        package.path,
        str(package.size),
        package.sha256,
    )
    return " ".join(value.ljust(width) for value, width in zip(values, _COLUMNS, strict=True)).rstrip()


def _package(line: str) -> Package:
    name, version, architecture, source, origin, path, size, sha256 = line.split()
    archive, slash, suite = origin.partition("/")
    if not slash or not _SHA256.fullmatch(sha256):
        raise ValueError(line)
    return Package(name, version, architecture, source, archive, suite, path, int(size), sha256)


def _versions(packages: Iterable[Package]) -> Mapping[str, str]:
    return {package.name: package.version for package in packages}
