"""What a package's maintainers say has changed: the changelog in its .deb (Debian Policy 4.4, 12.7).

All of it is text from outside. What reads it here is bounded in memory, whatever a .deb may hold, and gives
the text as it is: who shows it makes it safe.
"""

import contextlib
import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gitops.debian.versions import compare
from gitops.system.run import start

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LARGEST_TEXT = 4 * 1024 * 1024  # bytes that are read of a changelog; the newest entries come first
_LARGEST_TAR = 4 * 1024 * 1024 * 1024  # bytes of a .deb's files that are looked through
_LONGEST_NAME = 64 * 1024  # bytes of a path in a tar archive
_LONGEST_LINE = 1000  # characters
_STRANGE = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_SPARSE}
_NAMES = re.compile(r"changelog(?P<debian>\.Debian(?P<architecture>\.[a-z0-9-]+)?)?(\.gz)?")
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]* \(([^()\s]+)\)([^;]*);(.*)")
_URGENCY = re.compile(r"\burgency=(\w+)", re.IGNORECASE)
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,9}\b", re.IGNORECASE)
_CLOSES = re.compile(r"\bcloses:\s*(?:bug)?#?\s?\d+(?:,\s*(?:bug)?#?\s?\d+)*", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One version's entry.

    Args:
        version: of the source package; a rebuild on one architecture has its own (`1.0-1+b1`).
        urgency: low, medium, high, emergency or critical, or what else is written there; "" when nothing is.
        date: in UTC; None when it cannot be read.
        author: name and address of who made it; "" when they cannot be read.
        text: the lines between heading and signature, as they are but for very long ones, which are cut.
        cves: CVE numbers named in it, in its order, in capitals.
        bugs: numbers of the Debian bugs it closes, in its order.
    """

    version: str
    urgency: str
    date: datetime | None
    author: str
    text: str
    cves: tuple[str, ...]
    bugs: tuple[int, ...]


def read(deb: Path, package: str) -> str | None:
    """Read the changelog that a .deb carries for a package; its newest 4 MB, should it be longer.

    That is `changelog.Debian.gz`, after the one of its own that a rebuild on one architecture has; or, of a
    native package, `changelog.gz`.

    Returns:
        Its text; None when there is none in it, be it that its documentation is another package's.
    """
    found = _found(deb, f"usr/share/doc/{package}")
    own = [found[name] for name in sorted(found, reverse=True) if ".Debian." in name]
    text = "".join(own) + found.get("changelog.Debian", "" if own else found.get("changelog", ""))
    return text if _HEADER.match(text.lstrip("\n")[:_LONGEST_LINE]) else None


def documented_by(deb: Path, package: str) -> str | None:
    """Give the package whose documentation a .deb links to, having none of its own (Debian Policy 12.3)."""
    with contextlib.closing(_members(deb)) as members:
        for member, _ in members:
            if member.issym() and member.name.removeprefix("./") == f"usr/share/doc/{package}":
                return member.linkname.rpartition("/")[2]
    return None


def entries(text: str, after: str, until: str) -> tuple[Entry, ...]:
    """Give the entries that lead from one version to another, newest first.

    These are the entry of the new version, or the first that is not newer, and all that follow until one is
    not newer than the old version. So an entry that the new version was made from counts even where its own
    version is higher (1.2-1 below 1.2-1~deb13u1), and the old version itself need not be there.

    Args:
        text: a changelog, newest entry first.
        after: the version there was.
        until: the version there will be.
    """
    found: list[Entry] = []
    for entry in _entries(text):
        try:
            if compare(entry.version, after) <= 0:
                break
            if found or compare(entry.version, until) <= 0:
                found.append(entry)
        except ValueError:
            continue  # what is not a version is not an entry
    return tuple(found)


class _Bounded(io.RawIOBase):
    """A stream that ends after so many bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, _LARGEST_TAR

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        data = self._stream.read(min(len(memoryview(buffer)), self._left))
        memoryview(buffer)[: len(data)] = data
        self._left -= len(data)
        return len(data)


class _Member(tarfile.TarInfo):
    """What stands in a .deb: dpkg refuses pax headers and sparse files, and a name has some end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        member = super().frombuf(buf, encoding, errors)
        strange = member.type in _STRANGE
        is_name = member.type in {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
        if strange or (is_name and member.size > _LONGEST_NAME):
            raise tarfile.ReadError("not the tar archive of a .deb")
        return member


class _Tar(tarfile.TarFile):
    """An archive whose list of members so far, which the library keeps, can be emptied."""

    members: list[tarfile.TarInfo]


def _members(deb: Path) -> Generator[tuple[tarfile.TarInfo, _Tar], None, None]:
    """Go through the files of a .deb; what breaks off, or is no such archive, ends there."""
    with start(["dpkg-deb", "--fsys-tarfile", deb]) as dpkg, contextlib.suppress(tarfile.TarError):
        try:
            if dpkg.stdout:
                with _Tar.open(fileobj=_Bounded(dpkg.stdout), mode="r|", tarinfo=_Member) as tar:
                    while (member := tar.next()) is not None:
                        tar.members.clear()  # which would grow with every file
                        yield member, tar
        finally:
            dpkg.kill()  # the rest of the files does not matter


def _found(deb: Path, directory: str) -> dict[str, str]:
    """Read the changelogs in a directory of a .deb, by name without .gz."""
    found: dict[str, str] = {}
    with contextlib.closing(_members(deb)) as members:
        for member, tar in members:
            place, _, name = member.name.removeprefix("./").rpartition("/")
            if place != directory and found:
                break  # dpkg-deb writes them sorted
            content = tar.extractfile(member) if place == directory and member.isreg() else None
            if content and _NAMES.fullmatch(name):
                with contextlib.suppress(OSError, EOFError, zlib.error):
                    plain = gzip.GzipFile(fileobj=content) if name.endswith(".gz") else content
                    found[name.removesuffix(".gz")] = plain.read(_LARGEST_TEXT).decode(errors="replace")
    return found


def _entries(text: str) -> Iterator[Entry]:
    """Cut a changelog into entries; lines that are out of place are passed over."""
    version, urgency, lines = "", "", list[str]()
    for whole in text.split("\n"):
        line = whole[:_LONGEST_LINE].rstrip()
        if header := _HEADER.fullmatch(line):
            if version:
                yield _entry(version, urgency, lines, "")
            stated = _URGENCY.search(header[3])
            version, urgency, lines = header[1], stated[1].lower() if stated else "", []
        elif version and line.startswith(" -- "):
            yield _entry(version, urgency, lines, line[4:])
            version = ""
        elif version and (not line or line[0].isspace()):
            lines.append(line)
    if version:
        yield _entry(version, urgency, lines, "")


def _entry(version: str, urgency: str, lines: list[str], signature: str) -> Entry:
    text = "\n".join(lines).strip("\n")
    author, _, date = signature.rpartition("  ")
    closed = (number for closes in _CLOSES.findall(text) for number in re.findall(r"\d+", closes))
    return Entry(
        version=version,
        urgency=urgency,
        date=_date(date),
        author=author.strip(),
        text=text,
        cves=tuple(dict.fromkeys(cve.upper() for cve in _CVE.findall(text))),
        bugs=tuple(dict.fromkeys(int(number[:9]) for number in closed)),
    )


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
