"""The store of .debs: every file once, under the name of its SHA-256, verified before it has that name."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import quote

import httpx

from gitops.debian import fetch
from gitops.debian.packages import Package
from gitops.system.errors import Problem, UserError

_THREADS = 8
_KEPT = 24 * 3600  # seconds after which a part of a download has been left behind by a process that died


class _StoppedError(Exception):
    """Another download has failed, so this one need not end."""


@dataclass(frozen=True)
class Store:
    """A content-addressed directory of .debs, which any number of processes may share.

    Args:
        root: the directory.
    """

    root: Path

    def path(self, sha256: str) -> Path:
        """Where the .deb of that SHA-256 is, or would be."""
        return self.root / sha256[:2] / f"{sha256}.deb"

    def missing(self, packages: Iterable[Package]) -> list[Package]:
        """Give the packages whose .deb is not here, or not whole, each once."""
        return [each for each in {each.sha256: each for each in packages}.values() if not self._has(each)]

    def fetch(
        self,
        packages: Iterable[Package],
        mirrors: Mapping[str, Sequence[str]],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Download what is missing; run again after any failure, it goes on where it was.

        Args:
            packages: what is wanted.
            mirrors: an archive's name to the addresses that are tried for it, one after the other.
            progress: is told of every so many bytes more, by several threads.

        Raises:
            UserError: a .deb has left every mirror, or is not what the lock says; all such in one error.
        """
        wanted = self.missing(packages)
        if not wanted:
            return
        self._forget_parts()
        stop = Event()

        def tell(count: int) -> None:
            if stop.is_set():
                raise _StoppedError
            if progress:
                progress(count)

        with fetch.client() as mirror, ThreadPoolExecutor(_THREADS) as pool:
            tasks = [
                pool.submit(self._fetch, mirror, each, mirrors.get(each.archive, ()), tell) for each in wanted
            ]
            try:
                problems = [problem for task in tasks for problem in task.result()]
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        if problems:
            raise UserError.of(problems)

    def _fetch(
        self, client: httpx.Client, package: Package, mirrors: Sequence[str], progress: Callable[[int], None]
    ) -> tuple[Problem, ...]:
        problems: tuple[Problem, ...] = ()
        for mirror in mirrors:
            try:
                if fetch.download(
                    client,
                    f"{mirror.rstrip('/')}/{quote(package.path)}",
                    self.path(package.sha256),
                    size=package.size,
                    sha256=package.sha256,
                    promised_by=f"the lock of {package.name} {package.version}",
                    progress=progress,
                ):
                    return ()
            except UserError as error:
                problems += error.problems
        return problems or (
            Problem(
                message=f"{package.version} of {package.name} has left the mirror"
                + (f" {' and '.join(mirrors)}" if mirrors else f": none is known for {package.archive}"),
                hint="`gitops lock` moves the locks on to what the archive has now",
            ),
        )

    def _has(self, package: Package) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return self.path(package.sha256).stat().st_size == package.size
        return False

    def _forget_parts(self) -> None:
        for part in self.root.glob("*/.part-*"):
            with contextlib.suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - _KEPT:
                    part.unlink()
