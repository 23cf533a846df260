"""The questions that a restored instance must answer well: a command in a container, or a query."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitops.backup.login import Login
from gitops.engine.docker import Docker
from gitops.system.errors import UserError

if TYPE_CHECKING:
    from gitops.fleet.backups import Backup, Database, Verification
    from gitops.fleet.services import Service

PATIENCE = 300.0
"""Seconds that an answer may take."""

_READ = 1 << 16
_SHOWN = 400


def verify(
    engine: Docker, container: str, question: "Verification", backup: "Backup", service: "Service"
) -> None:
    """Ask one question.

    Args:
        engine: where the container is.
        container: the running container of the question's service.
        question: what is asked, and what is the right answer.
        backup: what the app says of backups: it knows the service's databases.
        service: the question's service.

    Raises:
        UserError: the answer is wrong, or there is none. What the container said is in the message as it
            came: cut it by `one_line` before anybody sees it.
    """
    if question.query is not None:
        asked, answer = question.query, _query(engine, container, question, backup, service)
    else:
        command = question.command or ()
        asked, answer = " ".join(command), _command(engine, container, command)
    if question.expect is not None and answer.strip() != question.expect.strip():
        raise UserError(
            f"“{asked}” is to be answered with “{question.expect.strip()}” by {question.service}, which says"
            f" “{answer.strip()}”"
        )


def login(database: "Database", service: "Service") -> Login:
    """Say who connects to a database; the password's file is one of its service's secrets."""
    files = {use.source: f"/run/secrets/{use.target or use.source}" for use in service.secrets}
    return Login(database.user, files[database.password] if database.password else None)


def one_line(text: str) -> str:
    """Make one line of what a container said, at most 400 characters, none of which a terminal obeys."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    line = " ".join(words)
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _query(
    engine: Docker, container: str, question: "Verification", backup: "Backup", service: "Service"
) -> str:
    from gitops.backup.databases import KINDS  # noqa: PLC0415  # a run of backups asks nothing

    known = [one for one in backup.databases if one.service == question.service]
    named = [one for one in known if one.name == question.database]
    database = next(iter(named or known))
    name = question.database or database.name or ""
    kind = KINDS[database.kind]
    return kind.ask(engine, container, name, question.query or "", login(database, service))


def _command(engine: Docker, container: str, command: tuple[str, ...]) -> str:
    asked = " ".join(command)
    try:
        with engine.exec(container, command, timeout=PATIENCE) as stream:
            answer = _beginning(stream)
            status = stream.wait()
    except TimeoutError as error:
        raise UserError(f"“{asked}” gives no answer within {PATIENCE:g} s") from error
    if status:
        said = stream.stderr.decode(errors="replace").strip() or answer.strip()
        raise UserError(f"“{asked}” ends with exit status {status}: {said}")
    return answer


def _beginning(chunks: Iterable[bytes]) -> str:
    """Read everything, and give no more of it than anybody would compare."""
    kept = b""
    for chunk in chunks:
        kept += chunk[: _READ - len(kept)]
    return kept.decode(errors="replace")
