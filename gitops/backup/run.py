"""Back up instances: dump their databases, copy their volumes, and only then call them sets."""

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from gitops.backup.asked import Asked
from gitops.backup.bundle import Bundle
from gitops.backup.insisting import insist
from gitops.backup.progress import Far, Task
from gitops.backup.refusals import MissingError
from gitops.backup.repository import gone, make_sure_of
from gitops.backup.saving import save
from gitops.backup.sets import BackupSet
from gitops.backup.vault import Vault
from gitops.backup.verify import one_line
from gitops.engine.docker import Docker
from gitops.report.history import Run, record
from gitops.system.clock import now, stamp
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

LOCK_WAIT = 6 * 3600.0
"""Seconds to wait for the host's other backups and restores, which take their turns."""


def back_up(
    vault: Vault,
    engine: Docker,
    instances: Sequence[Asked],
    places: Places,
    *,
    tell: Callable[[str], object] = lambda _: None,
    safety: bool = False,
) -> list[BackupSet]:
    """Make a backup set of each instance, all in one run.

    Args:
        vault: the host's backups; the repository is made when it is not there and never was.
        engine: the engine of this host.
        instances: what is backed up of each; something is.
        places: where history and locks are.
        tell: is given a line for people at each step.
        safety: the sets are no backups, but what a restore keeps of what is there before it; it holds the
            lock already, and the history has its own line of it.

    Returns:
        Their sets, in the same order, as they became: failed ones too, which say what failed and why.

    Raises:
        UserError: nothing could be saved.
    """
    if not instances:
        return []
    turn = exclusive(lock_path(places), "the backup repository of this host", wait=LOCK_WAIT)
    with nullcontext() if safety else turn:
        began = now()
        run = f"{stamp(began)}-{os.urandom(4).hex()}"
        try:
            insist(lambda: make_sure_of(vault.restic, places), vault.restic, tell)
            task = Task(
                vault, engine, places, Bundle(places), (*vault.tags, f"run={run}"), tell, Far(vault.progress)
            )
            sets = save(task, run, began, instances, safety=safety)
        except UserError as error:
            problem = gone(error, vault.restic) if isinstance(error, MissingError) else error
            for one in () if safety else instances:
                record(places, _run(one.instance, began, one_line(problem.problems[0].message)))
            raise problem from error
        for made in () if safety else sets:
            record(places, _run(made.instance, began, failure(made), made.short))
    return sets


def failure(made: BackupSet) -> str:
    """Say in a line what failed of a set; nothing where it is complete."""
    return "; ".join(f"{dataset}: {why}" for dataset, why in made.failed)


def lock_path(places: Places) -> Path:
    """Give the lock that backups and restores of a host hold, one at a time."""
    return places.runtime / "locks" / "backup"


def _run(instance: str, began: datetime, failed: str, good: str = "") -> Run:
    return Run("backup", instance, "", began, now(), 1 if failed else 0, failed or good)
