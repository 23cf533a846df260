"""One run: every dataset of some instances saved, and at last the manifest that makes backups of them.

What fails of one instance's datasets is noted, and spoils its set alone. What fails of the repository ends
the run, since there is nowhere to note anything.
"""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from gitops.backup.answers import Saved
from gitops.backup.asked import Asked
from gitops.backup.copying import save_bundle, save_still
from gitops.backup.cut_short import journal_path
from gitops.backup.incoming import Incoming
from gitops.backup.insisting import insist
from gitops.backup.progress import Progress, Task
from gitops.backup.refusals import HopelessError
from gitops.backup.sets import MANIFEST, BackupSet, manifest_text
from gitops.backup.wanted import wanted
from gitops.system.errors import UserError

_STILL: tuple[Literal["pause", "stop"], ...] = ("pause", "stop")


def save(
    task: Task, run: str, began: datetime, instances: Sequence[Asked], *, safety: bool
) -> list[BackupSet]:
    """Save instances, and give their sets as they became, in the same order.

    Args:
        task: what the run works with.
        run: its id.
        began: when it began.
        instances: what is saved.
        safety: whether the sets are no backups, but what a restore keeps.

    Raises:
        UserError: the repository does not take them; then there are none.
    """
    vault = task.vault
    everything = [_begin(task, asked) for asked in instances]
    task.far.begin(sum(len(own.wanted) for own in everything))
    try:
        # It takes a while until it can save anything, and so begins before all else.
        with vault.restic.incoming(MANIFEST, _manifest_tags(task)) as manifest:
            if any(own.databases for own in everything):
                from gitops.backup.dumping import dump_databases  # noqa: PLC0415  # volumes need not wait for it

                dump_databases(task, everything)
            live = [(own, one.dataset) for own in everything for one in own.volumes("live")]
            insist(partial(save_bundle, task, everything, live), vault.restic, task.tell)
            for own in everything:
                for method in _STILL:
                    insist(partial(save_still, own, method), vault.restic, task.tell)
            sets = [_set(own, run, began, safety=safety) for own in everything]
            saved = _save_manifest(task, manifest, manifest_text(sets))
    finally:
        with contextlib.suppress(UserError):  # the next run begins with that, and tells
            task.bundle.clear()
    vault.kept.keep(run, manifest_text(sets))
    return vault.resolve(run, saved.snapshot, sets)


def _begin(task: Task, asked: Asked) -> Progress:
    own = Progress(task, asked)
    if journal_path(task.places, asked.instance).exists():
        from gitops.backup.journal import unsettled  # noqa: PLC0415  # mostly there is none

        if between := unsettled(task.places, asked.instance):
            for dataset in between:
                own.fail(dataset, "its restore was cut short; gitops apply brings that to its end")
            return own
    own.wanted, silent = wanted(task.engine, task.vault.fleet, task.vault.host, asked)
    for dataset, why in silent:
        own.fail(dataset, why)
    return own


def _set(own: Progress, run: str, began: datetime, *, safety: bool) -> BackupSet:
    return BackupSet(
        "",
        run,
        own.task.vault.fleet,
        own.task.vault.host,
        own.name,
        began,
        tuple(own.parts[one.dataset] for one in own.wanted if one.dataset in own.parts),
        tuple(own.failed.items()),
        own.stood_still,
        safety,
    )


def _save_manifest(task: Task, begun: Incoming[Saved], text: bytes) -> Saved:
    try:
        begun.write(text)
        return begun.finish()
    except HopelessError:
        raise
    except UserError:  # it began long ago, when the repository may have been away
        save = partial(task.vault.restic.save_stream, [text], MANIFEST, _manifest_tags(task))
        return insist(save, task.vault.restic, task.tell)


def _manifest_tags(task: Task) -> tuple[str, ...]:
    return (*task.tags, "set")
