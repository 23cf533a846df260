"""Proving dumps in servers that have nothing yet: loaded, and compared with what was dumped."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from gitops.backup.databases import KINDS, ROLES, Login
from gitops.backup.sets import Part
from gitops.backup.vault import Vault
from gitops.backup.within import put
from gitops.engine.docker import Docker
from gitops.system.errors import UserError

PATIENCE = 300.0
"""Seconds that a database may take to answer once its container has been started."""

_PAUSE = 0.2
_NO_STATEMENT = (b"--", b"/*", b"\\", b"SET ")
"""Beginnings of lines in a script of roles that make none: comments, psql's own, settings."""


def loading_order(parts: Iterable[Part]) -> list[Part]:
    """Order parts so that users and roles come before the databases that they own."""
    return sorted(parts, key=lambda one: (one.dataset.name != ROLES, one.dataset))


def load(
    vault: Vault,
    engine: Docker,
    container: str,
    part: Part,
    login: Login,
    chunks: Iterable[bytes],
) -> None:
    """Load a dump into a server, and compare what is there then with the dump's fingerprint.

    Args:
        vault: where the dump is.
        engine: the host's engine.
        container: the running container of the database's service.
        part: the dump.
        login: who connects.
        chunks: the dump's content.

    Raises:
        UserError: it cannot be loaded, or is not what was dumped.
    """
    kind, name = KINDS[part.dataset.kind], part.dataset.name
    kind.load_beside(engine, container, name, chunks, login)
    # A service whose own the database is may write as soon as it is there; the copy beside it does not know.
    found = kind.fingerprint(engine, container, kind.beside(name), login) if kind.embedded else ""
    kind.swap(engine, container, name, login)
    found = found or kind.fingerprint(engine, container, name, login)
    if name != ROLES or found == part.fingerprint:
        _compare(part, found)
        return
    # A new server has users of its own, which the real one may have lost: only what was dumped must be there.
    there = _statements(kind.dump(engine, container, name, login))
    missing = _statements(vault.read(part)) - there
    if missing:  # passwords are among them, so that they are counted and not shown
        raise UserError(f"{part.dataset} lacks {len(missing)} of its statements when it is restored")


def put_into(vault: Vault, part: Part, volume: Path, file: str) -> None:
    """Put an SQLite database into a restored volume before its service starts; arguments and errors as above.

    Args:
        vault: where the dump is.
        part: the dump.
        volume: the volume's directory on this machine.
        file: where the database is, from there on.
    """
    _compare(part, put(volume, file, vault.read(part)))


def wait_ready(engine: Docker, container: str, part: Part, login: Login, alive: Callable[[], object]) -> None:
    """Wait until a database's server answers.

    Args:
        engine: the host's engine.
        container: the server's.
        part: one of its databases.
        login: who connects.
        alive: raises when the container will not come up any more.

    Raises:
        UserError: it does not answer within five minutes, and why.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        alive()
        try:
            KINDS[part.dataset.kind].ready(engine, container, login)
        except UserError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _compare(part: Part, found: str) -> None:
    if found != part.fingerprint:
        raise UserError(f"{part.dataset} was dumped with {part.fingerprint}, and is restored with {found}")


def _statements(script: Iterable[bytes]) -> set[bytes]:
    lines = b"".join(script).splitlines()
    return {line for line in lines if line and not line.startswith(_NO_STATEMENT)}
