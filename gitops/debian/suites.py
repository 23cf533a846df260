"""Suites as they are now, each asked once."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from gitops.debian.indexes import Indexes, refresh
from gitops.debian.sources import Source


class Suites:
    """Suites, each of which is asked at most once in the life of this object; threads may share it."""

    def __init__(self, cache: Path) -> None:
        """Ask nothing yet; `cache` keeps the indexes, and several processes may share it."""
        self._cache = cache
        self._lock = Lock()
        self._known: dict[tuple[tuple[Source, ...], str], Indexes] = {}
        self.requests = 0

    def indexes(self, sources: Sequence[Source], architecture: str) -> Indexes:
        """Give the indexes of some sources, fetched where they are missing."""
        key = tuple(sources), architecture
        with self._lock:
            if key not in self._known:
                self._known[key] = refresh(sources, architecture, self._cache)
            return self._known[key]
