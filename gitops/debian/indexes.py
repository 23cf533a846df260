"""The indexes of suites: fetched, verified from the signature down, and kept by their hash.

In the cache every suite of a mirror has a directory: the InRelease that was seen last, and each Packages file
under the SHA-256 of the compressed file it came from. A new InRelease takes its place only after all that it
promises has arrived, so a refresh that fails leaves everything as it was.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from gzip import GzipFile
from io import BufferedIOBase
from lzma import LZMAFile
from pathlib import Path

import httpx

from gitops.debian import fetch
from gitops.debian.packages import Package, PackageList, fields, package, package_list
from gitops.debian.release import Release, parse, verify
from gitops.debian.sources import Source
from gitops.system import clock, files
from gitops.system.errors import UserError
from gitops.system.locks import exclusive

_OPEN: dict[str, Callable[[Path], BufferedIOBase]] = {
    ".xz": LZMAFile,
    ".gz": GzipFile,
    "": lambda path: path.open("rb"),
}
_LARGEST_RELEASE = 32 * 1024 * 1024  # bytes; Debian's own has 0.2 MB
_KEPT = (
    7 * 24 * 3600
)  # seconds that an index outlives the InRelease that named it, for those who read it still


@dataclass(frozen=True)
class Index:
    """One verified Packages file.

    Args:
        source: where it is from.
        component: of the source.
        architecture: that it is for, or all.
        path: where it is; its name is its hash.
    """

    source: Source
    component: str
    architecture: str
    path: Path

    @property
    def packages(self) -> PackageList:
        """What is in it."""
        return package_list(self.path)


@dataclass(frozen=True)
class Indexes:
    """All that some sources offer for one architecture.

    Args:
        sources: the sources; among equal versions, the first source's is taken.
        architecture: Debian's name for it.
        releases: what the InRelease of each source says, in the same order.
        lists: their indexes, in the same order.
    """

    sources: tuple[Source, ...]
    architecture: str
    releases: tuple[Release, ...]
    lists: tuple[Index, ...]

    def candidates(self, name: str) -> list[Package]:
        """Give every version of a package in every suite, in the order of the sources."""
        return [
            package(stanza, index.source.archive, index.source.suite)
            for index in self.lists
            for stanza in index.packages.stanzas(name)
        ]

    def find(self, name: str, version: str, architecture: str) -> Package | None:
        """Find one version of a package; None when no suite has it."""
        wanted = (version, architecture)
        found = (each for each in self.candidates(name) if (each.version, each.architecture) == wanted)
        return next(found, None)

    def stanza(self, package: Package) -> str | None:
        """Give the control stanza of a locked package, as its Packages file has it; None when it has left."""
        for index in self.lists:
            for stanza in index.packages.stanzas(package.name):
                values = fields(stanza)
                if (values["Version"], values["SHA256"]) == (package.version, package.sha256):
                    return stanza
        return None

    def names(self) -> set[str]:
        """Give the name of every package."""
        return {name for index in self.lists for name in index.packages.names()}

    def essential(self) -> set[str]:
        """Give the name of every Essential package."""
        return {name for index in self.lists for name in index.packages.essential()}


def refresh(sources: Sequence[Source], architecture: str, cache: Path) -> Indexes:
    """Bring the indexes of some sources up to date.

    Args:
        sources: suites, in order of preference.
        architecture: Debian's name for it, for example arm64.
        cache: the directory that keeps them; several processes may share it.

    Raises:
        UserError: a file is missing, badly signed, expired, older than one seen before, or not what its
            InRelease promises.
    """
    releases: dict[str, Release] = {}
    lists: dict[tuple[str, str], list[Index]] = {}
    by_suite: dict[str, list[Source]] = {}
    for source in sources:
        by_suite.setdefault(source.release, []).append(source)
    with fetch.client() as mirror:
        for address, same in by_suite.items():
            place = cache / _directory(address)
            with exclusive(place / "lock", f"the index cache of {address}", wait=600):
                inrelease, modified = _inrelease(mirror, same[0], place / "InRelease")
                releases[address] = _verified(inrelease, same, place / "InRelease")
                for source in same:
                    for component in source.components:
                        lists[address, component] = list(
                            _component(mirror, releases[address], source, component, architecture, place)
                        )
                files.write(place / "InRelease", inrelease)
                # The server's own time, for the next If-Modified-Since; 0 when it told none.
                os.utime(place / "InRelease", (modified, modified))
                _prune(place, releases[address])
    return Indexes(
        sources=tuple(sources),
        architecture=architecture,
        releases=tuple(releases[source.release] for source in sources),
        lists=tuple(
            Index(source, component, index.architecture, index.path)
            for source in sources
            for component in source.components
            for index in lists[source.release, component]
        ),
    )


def _inrelease(mirror: httpx.Client, source: Source, kept: Path) -> tuple[bytes, float]:
    """Fetch InRelease unless the kept one is still the mirror's; give its content and time in seconds."""
    known = kept.stat().st_mtime if kept.is_file() else 0.0
    headers = {"If-Modified-Since": formatdate(known, usegmt=True)} if known else {}
    with fetch.get(mirror, f"{source.release}/InRelease", headers) as answer:
        if known and answer.status_code == httpx.codes.NOT_MODIFIED:
            return kept.read_bytes(), known
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise UserError(
                f"{source.release}/InRelease does not exist",
                hint=f"does {source.base} have a suite named {source.suite}?",
            )
        fetch.refuse(answer)
        content = bytearray()
        for chunk in answer.iter_raw(fetch.CHUNK):
            content += chunk
            if len(content) > _LARGEST_RELEASE:
                raise UserError(f"{source.release}/InRelease is too large to be one")
        return bytes(content), _time(answer.headers.get("Last-Modified"))


def _verified(inrelease: bytes, sources: Sequence[Source], kept: Path) -> Release:
    """Verify an InRelease for every source that names it: each may trust other keys."""
    for source in sources:
        release = verify(inrelease, source)
        release.check(source, clock.now())
    if kept.is_file():
        seen = parse(kept.read_text(errors="replace")).date
        if release.date < seen:
            raise UserError(
                f"{sources[0].release}/InRelease is of {clock.stamp(release.date)}, older than the one of "
                f"{clock.stamp(seen)} that was seen before",
                hint="the mirror lags behind, or someone replays an old state: try again or use another; "
                f"if the archive was taken back on purpose, remove {kept}",
            )
    return release


def _component(
    mirror: httpx.Client, release: Release, source: Source, component: str, architecture: str, place: Path
) -> Iterator[Index]:
    """Fetch the indexes of a component that are not there yet."""
    for each in (architecture, *(("all",) if release.all_separate else ())):
        directory = f"{component}/binary-{each}"
        suffix = next(
            (suffix for suffix in _OPEN if f"{directory}/Packages{suffix}" in release.indexes), None
        )
        if suffix is not None:
            size, sha256 = release.indexes[f"{directory}/Packages{suffix}"]
            if not (place / sha256).is_file():
                _index(mirror, release, f"{source.release}/{directory}", suffix, size, sha256, place / sha256)
            yield Index(source, component, each, place / sha256)
        elif each == architecture:
            raise UserError(
                f"{source.release}/InRelease names no {directory}/Packages",
                hint=f"its components: {release.components}; is it served for {architecture}?",
            )


def _index(
    mirror: httpx.Client, release: Release, url: str, suffix: str, size: int, sha256: str, path: Path
) -> None:
    compressed = path.with_suffix(".compressed")
    addresses = [f"{url}/by-hash/SHA256/{sha256}"] if release.by_hash else []
    try:
        for address in (*addresses, f"{url}/Packages{suffix}"):
            if fetch.download(mirror, address, compressed, size=size, sha256=sha256, promised_by="InRelease"):
                break
        else:
            raise UserError(
                f"{url}/Packages{suffix} does not exist, though InRelease names it",
                hint="the mirror is being updated or incomplete; try again later or use another",
            )
        with _OPEN[suffix](compressed) as source, fetch.writing(path) as target:
            shutil.copyfileobj(source, target, fetch.CHUNK)
    finally:
        compressed.unlink(missing_ok=True)


def _prune(place: Path, release: Release) -> None:
    """Remove indexes that the release no longer names, once nobody can be reading them."""
    current = {sha256 for _, sha256 in release.indexes.values()} | {"InRelease", "lock"}
    for path in place.iterdir():
        if path.name not in current and path.stat().st_mtime < time.time() - _KEPT:
            path.unlink(missing_ok=True)


def _directory(address: str) -> str:
    name = address.partition("://")[2].rpartition("@")[2].strip("/").replace("/", "_")
    return f"{name[-80:]}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"


def _time(header: str | None) -> float:
    with contextlib.suppress(TypeError, ValueError):
        return parsedate_to_datetime(header or "").timestamp()
    return 0.0
