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

_BEGINNING = 5.0
"""Seconds in which the engine begins what it was told by somebody who has died."""

_FIRST_SECONDS = 3.0
"""Seconds in which a container without a healthcheck must have stayed up."""


def wait_for_servers(engine: Docker, pieces: Iterable[Piece]) -> None:
    """Wait until no tool works in the databases' containers that outlives whoever began it.

    Raises:
        UserError: one does for too long, or a server does not answer.
    """
    deadline, begun = time.monotonic() + _PATIENCE, time.monotonic() + _BEGINNING
    for one in pieces:
        if one.container:
            while at_work(engine, one.container, to_come=time.monotonic() < begun):
                if time.monotonic() > deadline:
                    raise UserError(
                        f"{one.container} is busy with a backup or restore", hint="try again later"
                    )
                time.sleep(0.05)
            KINDS[one.dataset.kind].ready(engine, one.container, one.login)


def settle(engine: Docker, instance: str, containers: Sequence[str]) -> None:
    """Wait until containers that have just been started work; those that were not running are left alone.

    Raises:
        UserError: some do not.
    """
    began, problems = time.monotonic(), []
    there = {one.name: one for one in engine.named(containers)}
    for one in (there[name] for name in containers if name in there):
        if one.state in {"running", "restarting"}:
            verdict = engine.prove(one.id, began + _FIRST_SECONDS - time.monotonic(), _PATIENCE)
            if not verdict.well:
                message = f"{instance} is restored, but {one.subject} is {verdict.state}"
                problems.append(Problem(message=message, hint=verdict.said.replace("\n", "\n  ")))
    if problems:
        raise UserError.of(problems)
