"""Suites as their mirrors have them now: each is asked once, several at a time, and believed when verified.

In the cache every suite of a mirror has a directory: the InRelease that was seen last, and each Packages file
under the SHA-256 of the compressed file it came from. A new InRelease takes its place only after all that it
promises has arrived, so an attempt that fails leaves everything as it was.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock

import httpx

from gitops.debian import fetch, inrelease
from gitops.debian.index_file import fetch_index
from gitops.debian.indexes import Index, Indexes
from gitops.debian.release import Release
from gitops.debian.sources import Source
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.progress import Amount, Progress, silent

_THREADS = 8
_KEPT = (
    7 * 24 * 3600
)  # seconds that an index outlives the InRelease that named it, for those who read it still


class Suites:
    """Suites of any mirrors, each asked at most once in the life of this object; threads may share it.

    Args:
        requests: how many requests have been made.
    """

    def __init__(self, cache: Path, progress: Progress = silent) -> None:
        """Ask nothing yet.

        Args:
            cache: the directory that keeps indexes; several processes may share it.
            progress: is told of each suite that is fetched, by several threads.
        """
        self.requests = 0
        self._progress = progress
        self._cache = cache
        self._known: dict[str, _Suite] = {}
        self._lock = Lock()

    def indexes(self, sources: Sequence[Source], architecture: str) -> Indexes:
        """Give the indexes of some sources; what is missing is fetched.

        Args:
            sources: suites, in order of preference.
            architecture: Debian's name for it, for example arm64.

        Raises:
            UserError: a file is missing, badly signed, expired, older than one seen before, or not what its
                InRelease promises.
        """
        by_suite: dict[str, list[Source]] = {}
        for source in sources:
            by_suite.setdefault(source.release, []).append(source)
        with self._lock:
            suites = [
                (self._known.setdefault(address, _Suite(address, self._cache)), same)
                for address, same in by_suite.items()
            ]
        missing = [(suite, same) for suite, same in suites if not suite.has(same, architecture)]
        if missing:
            with fetch.client(self._count) as mirror, ThreadPoolExecutor(_THREADS) as pool:
                tasks = [
                    pool.submit(suite.bring, mirror, same, architecture, self._progress)
                    for suite, same in missing
                ]
                for task in tasks:
                    task.result()
        known = {suite.address: suite for suite, _ in suites}
        return Indexes(
            sources=tuple(sources),
            architecture=architecture,
            releases=tuple(known[source.release].release for source in sources),
            lists=tuple(
                Index(source, component, each, path)
                for source in sources
                for component in source.components
                for each, path in known[source.release].files[component, architecture]
            ),
        )

    def _count(self, _request: httpx.Request) -> None:
        with self._lock:
            self.requests += 1


def refresh(sources: Sequence[Source], architecture: str, cache: Path) -> Indexes:
    """Give the indexes of some sources as they are now; arguments and errors as for `Suites.indexes`."""
    return Suites(cache).indexes(sources, architecture)


class _Suite:
    """One suite: asked once, its indexes fetched when they are first wanted.

    Args:
        address: of the directory that holds its InRelease.
        release: what that says; there once `bring` has ended well.
        files: component and architecture to the indexes for them: each an architecture, or all, and a path.
    """

    release: Release

    def __init__(self, address: str, cache: Path) -> None:
        self.address = address
        self.files: dict[tuple[str, str], list[tuple[str, Path]]] = {}
        self._place = cache / _directory(address)
        self._asked: inrelease.InRelease | None = None
        self._trusting: set[Source] = set()
        self._error: UserError | None = None
        self._lock = Lock()

    def has(self, sources: Sequence[Source], architecture: str) -> bool:
        """Tell whether all is here, verified for these sources."""
        wanted = {(component, architecture) for source in sources for component in source.components}
        return self._trusting.issuperset(sources) and wanted <= self.files.keys()

    def bring(
        self, mirror: httpx.Client, sources: Sequence[Source], architecture: str, progress: Progress
    ) -> None:
        """Ask for the InRelease, unless that was done, and fetch the indexes that are missing."""
        name = f"{sources[0].archive}/{sources[0].suite}"
        with self._lock, exclusive(self._place / "lock", f"the index cache of {self.address}", wait=600):
            progress(name, "asking what is new")
            try:
                self._bring(mirror, sources, architecture, partial(progress, name))
            finally:
                progress(name, "")

    def _bring(
        self,
        mirror: httpx.Client,
        sources: Sequence[Source],
        architecture: str,
        tell: Callable[[str, Amount], None],
    ) -> None:
        asked = self._ask(mirror, sources[0])
        asked, release = inrelease.verified(asked, sources, self._place)
        found = {
            (component, architecture): _component(
                mirror, release, source, component, architecture, self._place, tell
            )
            for source in sources
            for component in source.components
            if (component, architecture) not in self.files
        }
        if asked != self._asked:
            inrelease.keep(self._place, asked)
            _prune(self._place, release)
        self._asked, self.release = asked, release
        self.files |= found
        self._trusting |= set(sources)

    def _ask(self, mirror: httpx.Client, source: Source) -> inrelease.InRelease:
        if self._error:
            raise self._error
        try:
            return self._asked or inrelease.ask(mirror, source, inrelease.kept(self._place))
        except UserError as error:
            self._error = error
            raise


def _component(
    mirror: httpx.Client,
    release: Release,
    source: Source,
    component: str,
    architecture: str,
    place: Path,
    tell: Callable[[str, Amount], None],
) -> list[tuple[str, Path]]:
    """Bring the indexes of a component that are for an architecture."""
    found = []
    for each in (architecture, *(("all",) if release.all_separate else ())):
        directory = f"{component}/binary-{each}"
        fetching = partial(tell, f"fetching {directory}")
        path = fetch_index(mirror, release, source.release, directory, place, fetching)
        if path:
            found.append((each, path))
        elif each == architecture:
            raise UserError(
                f"{source.release}/InRelease names no {directory}/Packages",
                hint=f"its components: {release.components}; is it served for {architecture}?",
            )
    return found


def _prune(place: Path, release: Release) -> None:
    """Remove indexes that the release no longer names, once nobody can be reading them."""
    current = {sha256 for _, sha256 in release.indexes.values()} | {"InRelease", "verified.json", "lock"}
    for path in place.iterdir():
        if path.name not in current and path.stat().st_mtime < time.time() - _KEPT:
            path.unlink(missing_ok=True)


def _directory(address: str) -> str:
    name = address.partition("://")[2].rpartition("@")[2].strip("/").replace("/", "_")
    return f"{name[-80:]}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"
