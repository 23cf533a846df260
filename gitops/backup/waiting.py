"""Waiting around a change-over: for servers before it, and for services after it."""

import time
from collections.abc import Iterable, Sequence

from gitops.backup.databases import KINDS
from gitops.backup.databases.client import at_work
from gitops.backup.pieces import Piece
from gitops.engine.docker import Docker
from gitops.system.errors import Problem, UserError

_PATIENCE = 300.0
"""Seconds that a tool may go on whose caller has died, and that a container may take to become healthy."""

_PAUSE = 0.05

_BEGINNING = 5.0
"""Seconds in which the engine begins what it was told by somebody who has died."""


def wait_for_servers(engine: Docker, pieces: Iterable[Piece], patience: float = 0) -> None:
    """Wait until no tool works in the databases' containers that outlives whoever began it.

    Args:
        engine: the host's engine.
        pieces: the databases; volumes are passed over.
        patience: seconds that a server may take to answer, which has just been started perhaps.

    Raises:
        UserError: a tool works for too long, or a server does not answer.
    """
    began = time.monotonic()
    for one in pieces:
        if one.container:
            _wait_for_tools(engine, one.container, began)
            while not _answers(engine, one, last=time.monotonic() > began + patience):
                time.sleep(_PAUSE)


def settle(engine: Docker, instance: str, containers: Sequence[str], wait: float) -> None:
    """Wait until containers that have just been started work; those that were not running are left alone.

    Args:
        engine: the host's engine.
        instance: whose they are.
        containers: their names.
        wait: seconds that one without a healthcheck must have run.

    Raises:
        UserError: some do not.
    """
    began, problems = time.monotonic(), []
    there = {one.name: one for one in engine.named(containers)}
    for one in (there[name] for name in containers if name in there):
        if one.state in {"running", "restarting"}:
            verdict = engine.prove(one.id, began + wait - time.monotonic(), _PATIENCE)
            if not verdict.well:
                message = f"{instance} is restored, but {one.subject} is {verdict.state}"
                problems.append(Problem(message=message, hint=verdict.said.replace("\n", "\n  ")))
    if problems:
        raise UserError.of(problems)


def _wait_for_tools(engine: Docker, container: str, began: float) -> None:
    while at_work(engine, container, to_come=time.monotonic() < began + _BEGINNING):
        if time.monotonic() > began + _PATIENCE:
            raise UserError(f"{container} is busy with a backup or restore", hint="try again later")
        time.sleep(_PAUSE)


def _answers(engine: Docker, piece: Piece, *, last: bool) -> bool:
    """Ask a server; raise UserError where it was the last time and there was no answer."""
    try:
        KINDS[piece.dataset.kind].ready(engine, piece.container, piece.login)
    except UserError:
        if last:
            raise
        return False
    return True
