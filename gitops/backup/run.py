"""Back up an instance: dump its databases, copy its volumes, and only then call it a set."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gitops.backup.databases import KINDS
from gitops.backup.restic import Restic, Snapshot
from gitops.backup.retention import kept
from gitops.backup.sets import (
    VOLUME,
    BackupSet,
    Dataset,
    common_tags,
    complete_sets,
    leftovers,
    manifest_tags,
)
from gitops.backup.wanted import Wanted, find_container, users, wanted
from gitops.engine.docker import Docker
from gitops.engine.held import hold
from gitops.fleet.backups import Backup, Keep
from gitops.fleet.fleet import Instance
from gitops.fleet.names import volume_name
from gitops.report.history import Run, record, runs
from gitops.system.clock import now, stamp
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

DUMP = "dump"
"""Name of the file in a database's part."""

LOCK_WAIT = 6 * 3600.0
"""Seconds to wait for the backups of the host's other instances, which take their turns."""

_PRUNE_EVERY = timedelta(days=1)


def back_up(
    engine: Docker,
    restic: Restic,
    fleet: str,
    instance: Instance,
    keep: Keep,
    places: Places,
    *,
    tell: Callable[[str], object] = lambda _: None,
) -> BackupSet:
    """Make one backup set of an instance, and forget the sets that need not stay.

    Args:
        engine: the engine of this host.
        restic: the host's repository; made when it is not there and never was.
        fleet: the fleet's name.
        instance: what is backed up.
        keep: which sets stay, where its app does not say.
        places: where history and locks are.
        tell: is given a line for people at each step.

    Raises:
        UserError: some dataset could not be saved; then there is no new set, and nothing was forgotten.
    """
    backup = backup_of(instance)
    began = now()
    with exclusive(lock_path(places), "the backup repository of this host", wait=LOCK_WAIT):
        try:
            _make_sure_of(restic, places)
            run = _Saving(engine, restic, fleet, instance, backup, places, tell).save()
            snapshots = restic.snapshots(common_tags(fleet, instance.name))
            (made,) = complete_sets(one for one in snapshots if run in one.tags)
        except UserError as error:
            record(places, _run("backup", instance.name, began, 1, error.problems[0].message))
            raise
        record(places, _run("backup", instance.name, began, 0, made.short))
        _forget_old(restic, snapshots, backup.keep or keep)
        _prune_daily(restic, places)
    return made


def backup_of(instance: Instance) -> Backup:
    """Give what the instance's app wants backed up, or raise when that is nothing."""
    backup = instance.definition.backup
    if backup is None or not (backup.databases or backup.volumes):
        raise UserError(
            f"nothing of {instance.name} is backed up", hint=f"add backup: to apps/{instance.app}.yaml"
        )
    return backup


def lock_path(places: Places) -> Path:
    """Give the lock that backups and restores of a host hold, one at a time."""
    return places.runtime / "locks" / "backup"


def _forget_old(restic: Restic, snapshots: list[Snapshot], keep: Keep) -> None:
    """Forget the sets that need not stay, and parts that are in no set because a run was cut short."""
    manifests, parts = leftovers(snapshots, kept(complete_sets(snapshots), keep))
    if manifests or parts:
        restic.unlock()
        restic.forget(manifests)
        restic.forget(parts)


def _make_sure_of(restic: Restic, places: Places) -> None:
    """Make the repository on first use; one that was there before must not silently begin anew."""
    if restic.is_there():
        return
    if runs(places, kind="repository", name=restic.repository, limit=1):
        raise UserError(
            f"the backup repository {restic.repository} is gone, and it was there before",
            hint="is its disk mounted? To begin a new one: restic init -r REPOSITORY --password-file"
            f" {restic.password_file}",
        )
    restic.init()
    time = now()
    record(places, Run("repository", "", restic.repository, time, time, 0, "made"))


@dataclass(frozen=True)
class _Saving:
    """One backup of an instance, under way."""

    engine: Docker
    restic: Restic
    fleet: str
    instance: Instance
    backup: Backup
    places: Places
    tell: Callable[[str], object]

    def save(self) -> str:
        """Save everything and then the manifest; give the tag that they all carry."""
        run = f"run={stamp(now())}-{secrets.token_hex(4)}"
        tags = (*common_tags(self.fleet, self.instance.name), run)
        everything = wanted(self.engine, self.fleet, self.instance, self.backup)
        for one in everything:
            self.tell(f"{self.instance.name}: saving {one.dataset}")
            try:
                self._save(one, (*tags, one.dataset.tag))
            except UserError as error:
                raise UserError(
                    f"no backup of {self.instance.name} was made: {one.dataset} failed", hint=str(error)
                ) from error
        parts = _parts(self.restic.snapshots(tags), [one.dataset for one in everything])
        self.restic.save_stream(_words(parts), "set", (*tags, *manifest_tags(parts)))
        return run

    def _save(self, one: Wanted, tags: tuple[str, ...]) -> None:
        dataset = one.dataset
        if dataset.kind != VOLUME:
            container = find_container(self.engine, self.fleet, self.instance, dataset.service)
            kind, timeout = KINDS[dataset.kind], self.backup.timeout
            dump = kind.dump(self.engine, container, dataset.name, one.login, timeout)
            self.restic.save_stream(dump, DUMP, tags)
            return
        directory = self.engine.volume_path(volume_name(self.fleet, self.instance.name, dataset.name))
        if one.method == "live":
            self.restic.save_directory(directory, tags)
            return
        standing = users(self.engine, self.fleet, self.instance, dataset.name)
        with hold(self.engine, standing, one.method, self.places, "backup") as still:
            self.restic.save_directory(directory, tags)
        self.tell(f"{self.instance.name}: services of {dataset} stood still for {still.seconds:.1f} s")


def _parts(snapshots: list[Snapshot], wanted: list[Dataset]) -> list[Snapshot]:
    """Give the newest snapshot of each dataset: a volume that changed while it was read has several."""
    newest = {Dataset.of_tags(one.tags): one for one in snapshots}
    missing = [str(dataset) for dataset in wanted if dataset not in newest]
    if missing:
        raise UserError(f"the repository did not keep {', '.join(missing)}")
    return [newest[dataset] for dataset in wanted]


def _words(parts: list[Snapshot]) -> Iterator[bytes]:
    yield b"A complete backup by gitops. Its parts, and the snapshots that hold them:\n"
    for part in parts:
        yield f"{Dataset.of_tags(part.tags)}: {part.id}\n".encode()


def _prune_daily(restic: Restic, places: Places) -> None:
    began = now()
    last = [
        run.started
        for kind in ("prune", "repository")
        for run in runs(places, kind=kind, name=restic.repository, limit=1)
    ]
    if last and began - max(last) < _PRUNE_EVERY:
        return
    restic.unlock()
    restic.prune()
    record(places, Run("prune", "", restic.repository, began, now(), 0))


def _run(kind: str, instance: str, began: datetime, status: int, detail: str) -> Run:
    return Run(kind, instance, "", began, now(), status, detail)
