"""What every kind of database has in common: what a dump is, which functions there are."""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

from gitops.backup.login import Login
from gitops.engine.docker import Docker

ROLES = "@roles"
"""Name of the dataset that holds a server's users and roles, which belong to none of its databases."""

_SCRATCH = "gitops_restore_"


class Dump:
    """A dump as it comes: iterate for its bytes.

    The iteration ends only when every program behind it ended well and the kind's own end marker was seen;
    otherwise it raises UserError. Closing it ends the programs in the container.
    """

    def __init__(self, parts: Generator[bytes, None, str]) -> None:
        """Make a dump of a generator that gives its bytes, and its fingerprint when it returns."""
        self._parts = parts
        self._fingerprint = ""

    def __iter__(self) -> Iterator[bytes]:
        """Give the bytes of the dump, once, in chunks of any size."""
        self._fingerprint = yield from self._parts

    def close(self) -> None:
        """Give the dump up; what still runs of it is ended."""
        self._parts.close()

    @property
    def fingerprint(self) -> str:
        """What exactly this dump holds, in words that a person can read; known when it has been iterated."""
        if not self._fingerprint:
            raise AssertionError("a dump has its fingerprint when all of it was read")
        return self._fingerprint


class Kind(Protocol):
    """What a module for a kind of database has. Every function raises UserError when the database refuses.

    `container` is the id or name of the running container of the database's service; its own tools are used.
    """

    @property
    def extension(self) -> str:
        """What a file with a dump of this kind ends in, without the dot."""

    @property
    def embedded(self) -> bool:
        """Whether there is no server, and the database a file that its service may write to at any time."""

    @property
    def atomic(self) -> bool:
        """Whether a `swap` that was refused has changed nothing; the scratch copy is there still then."""

    def ready(self, engine: Docker, container: str, login: Login) -> None:
        """Return when the database answers now, and raise when it does not."""

    def names(self, engine: Docker, container: str, login: Login) -> list[str]:
        """List what `all` means: every database that is not the server's own, and `ROLES` first."""

    def exists(self, engine: Docker, container: str, name: str, login: Login) -> bool:
        """Tell whether there is something of that name; `name` may be what `beside` gives, too."""

    def beside(self, name: str) -> str:
        """Give the name under which the scratch copy can be asked for while it is there."""

    def dump(
        self, engine: Docker, container: str, name: str, login: Login, timeout: float | None = None
    ) -> Dump:
        """Give a database as a stream; `timeout` is the seconds that it may take until its end."""

    def load_beside(
        self, engine: Docker, container: str, name: str, chunks: Iterable[bytes], login: Login
    ) -> None:
        """Load a dump into a scratch copy, made anew, and check it; the real one is not touched."""

    def swap(self, engine: Docker, container: str, name: str, login: Login) -> None:
        """Put the scratch copy in the real one's place, in one short step that outlives its caller."""

    def discard(self, engine: Docker, container: str, name: str, login: Login) -> None:
        """Remove the scratch copy, and do nothing where there is none."""

    def fingerprint(self, engine: Docker, container: str, name: str, login: Login) -> str:
        """Say what is there now; it equals the fingerprint of a dump that holds the same."""

    def ask(self, engine: Docker, container: str, name: str, query: str, login: Login) -> str:
        """Give the answer to a query in the database's own language; columns apart by tabs."""


def scratch_name(name: str) -> str:
    """Give the name of a database's scratch copy, another for each: letters, digits and `_`."""
    return _SCRATCH + hashlib.sha256(name.encode()).hexdigest()[:12]


def is_scratch(name: str) -> bool:
    """Tell whether a database is a scratch copy that gitops made."""
    return name.startswith(_SCRATCH)
