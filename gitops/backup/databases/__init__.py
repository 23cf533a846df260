"""Kinds of database: a module each, with the same few functions; the registry is `KINDS`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from gitops.backup.databases import mariadb
from gitops.engine.docker import Docker


class Kind(Protocol):
    """What a module for a kind of database has. Every function raises UserError when the database refuses."""

    def dump(self, engine: Docker, container: str, name: str) -> Iterator[bytes]:
        """Give a database as a stream; it raises unless all went well to the very end of the dump."""

    def load_beside(self, engine: Docker, container: str, name: str, chunks: Iterable[bytes]) -> None:
        """Load a dump into a scratch database, made anew; the real one is not touched."""

    def swap(self, engine: Docker, container: str, name: str) -> None:
        """Put the scratch database in the real one's place, in one short step that outlives its caller."""


KINDS: Mapping[str, Kind] = {"mariadb": mariadb}
