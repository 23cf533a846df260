"""A host's backups: which there are, and what is in them."""

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.backup.answers import Snapshot
from gitops.backup.asked import AskedRepository, asked_repository
from gitops.backup.kept import KeptManifests
from gitops.backup.outgoing import Outgoing
from gitops.backup.refusals import MissingError
from gitops.backup.repository import gone, is_known, opened
from gitops.backup.restic import Restic
from gitops.backup.sets import (
    MANIFEST,
    BackupSet,
    Part,
    is_run,
    newest_first,
    read_manifest,
    resolved,
)
from gitops.backup.watching import Watch
from gitops.system.clock import stamp
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import Amount, Progress, silent

if TYPE_CHECKING:
    from gitops.fleet.backups import Keep
    from gitops.fleet.fleet import Fleet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vault:
    """The backups of a host of a fleet, in a repository that others may share.

    Args:
        restic: the repository.
        fleet: the fleet's name.
        host: the host's name.
        places: where manifests are kept that were read once.
        progress: is told what is saved and fetched, and how far that is.
    """

    restic: Restic
    fleet: str
    host: str
    places: Places
    progress: Progress = silent

    def sets(self, instance: str | None = None, *, safety: bool | None = False) -> list[BackupSet]:
        """List sets, the newest first, failed ones too.

        Args:
            instance: whose; None: everybody's.
            safety: those that restores made of what was there before, instead of backups; None: both.

        Raises:
            UserError: the repository cannot be read.
        """
        return [
            one
            for one in self._sets()
            if safety in (None, one.safety) and (instance is None or one.instance == instance)
        ]

    def choose(self, instance: str, *, wanted: str | None = None, at: datetime | None = None) -> BackupSet:
        """Choose a complete set of an instance; the newest backup, unless something else is said.

        Args:
            instance: whose.
            wanted: the first characters of its id; it may be a safety set, too.
            at: the newest backup that is not newer than this.

        Raises:
            UserError: there is none, or not just one.
        """
        complete = (one for one in self._sets() if one.instance == instance and one.complete)
        if wanted is not None:
            return _called(wanted, list(complete), instance)
        for one in complete:
            if not one.safety and (at is None or one.time <= at):
                return one
        if at is not None:
            raise UserError(
                f"there is no backup of {instance} as old as {stamp(at)}",
                hint=f"see what there is: gitops backup list {instance}",
            )
        raise UserError(f"there is no backup of {instance}", hint=f"make one: gitops backup run {instance}")

    def expected(self, instance: str) -> tuple[Part, ...]:
        """Give the parts of an instance's newest complete backup, as far as is known here; none otherwise.

        Nobody is asked, so `choose` may well choose another one.
        """
        parts = self.kept.newest(instance)
        full = self.restic.in_full({part.snapshot for part in parts})
        found = [
            replace(part, snapshot=one) for part in parts for one in full if one.startswith(part.snapshot)
        ]
        return tuple(found) if len(found) == len(parts) else ()

    def begin_reading(self, part: Part) -> Outgoing:
        """Begin to read a dump."""
        return self.restic.outgoing(part.snapshot, part.path)

    def read(self, part: Part, begun: Outgoing | None = None) -> Iterator[bytes]:
        """Give a dump in chunks.

        Args:
            part: the dump.
            begun: what is being read of it already.

        Raises:
            UserError: it cannot be read to its end, or has another size than it was saved with.
        """
        size, what = 0, str(part.dataset)
        try:
            for chunk in begun or self.restic.read(part.snapshot, part.path):
                size += len(chunk)
                self.progress(what, "fetching", Amount(size, part.size, "B"))
                yield chunk
        finally:
            self.progress(what, "")
        if size != part.size:
            raise UserError(f"{part.dataset} was saved with {part.size} bytes, and {size} are there now")

    def restore(self, part: Part, target: Path) -> None:
        """Make a directory that is a volume as it was, with owners, modes, times and extended attributes.

        Args:
            part: the volume.
            target: does not exist; beside it there is `TARGET.restoring` until it is whole.
        """
        beside, what = target.with_name(f"{target.name}.restoring"), str(part.dataset)
        shutil.rmtree(beside, ignore_errors=True)
        try:
            self.restic.restore(part.snapshot, part.path, beside, self.watch(what, "fetching"))
            (beside / part.path.lstrip("/")).rename(target)
        finally:
            self.progress(what, "")
            shutil.rmtree(beside, ignore_errors=True)

    def stale(self, keep: "Callable[[str], Keep]") -> tuple[list[str], list[str]]:
        """Say which snapshots need not stay: manifests, which are to be forgotten first, and parts.

        Only for who holds the lock of the host's backups: what a run under way has saved belongs to no set
        yet.

        Args:
            keep: says of an instance which of its sets stay.
        """
        from gitops.backup.retention import stale  # noqa: PLC0415  # only pruning needs it

        snapshots = self._snapshots()
        return stale(snapshots, newest_first(self._read(snapshots)), keep)

    def resolve(self, run: str, manifest: str, sets: Iterable[BackupSet]) -> list[BackupSet]:
        """Give sets of a run that was just saved as the repository has them.

        Args:
            run: the run.
            manifest: the manifest's snapshot; as in the sets, it may be the beginning of an id only.
            sets: the run's.
        """
        sets = [replace(one, id=manifest) for one in sets]
        told = {manifest, *(part.snapshot for one in sets for part in one.parts)}
        there = self.restic.in_full(told) or [
            snapshot.id for snapshot in self.restic.snapshots([*self.tags, f"run={run}"])
        ]
        (full,) = (one for one in there if one.startswith(manifest))
        return [resolved(replace(one, id=full), there) for one in sets]

    def watch(self, name: str, doing: str) -> Watch | None:
        """Give what is told how many bytes of something are done; None where nobody is told."""
        if self.progress is silent:
            return None
        return lambda done, total: self.progress(name, doing, Amount(done, total, "B"))

    @property
    def kept(self) -> KeptManifests:
        """Give the manifests that this host need not fetch."""
        return KeptManifests(self.places.cache / "backup" / f"{self.fleet}.{self.host}")

    @property
    def tags(self) -> tuple[str, ...]:
        """Give the tags of all snapshots of the fleet."""
        return ("gitops", f"fleet={self.fleet}")

    def _sets(self) -> Iterator[BackupSet]:
        """Give all sets, the newest first; each manifest is read when it is its turn."""
        try:
            snapshots = self._snapshots()
        except MissingError as error:
            if is_known(self.restic, self.places):
                raise gone(error, self.restic) from error
            return
        yield from self._read(snapshots)

    def _snapshots(self) -> list[Snapshot]:
        found = self.restic.snapshots(self.tags)
        self.kept.forget_others({one.tag("run") for one in found})
        return found

    def _read(self, snapshots: Iterable[Snapshot]) -> Iterator[BackupSet]:
        runs: dict[str, list[str]] = {}
        manifests = []
        for one in snapshots:
            if is_run(run := one.tag("run")):
                runs.setdefault(run, []).append(one.id)
                manifests += [one] if "set" in one.tags else []
        for manifest in sorted(manifests, key=lambda one: one.time, reverse=True):
            try:
                sets = self._manifest(manifest)
            except UserError as error:
                log.warning("%s", error)
                continue
            yield from (resolved(one, runs[one.run]) for one in sets)

    def _manifest(self, snapshot: Snapshot) -> list[BackupSet]:
        run = snapshot.tag("run")
        try:
            return read_manifest(self.kept.read(run), snapshot.id)
        except (OSError, UserError):
            text = b"".join(self.restic.read(snapshot.id, f"/{MANIFEST}"))
            found = read_manifest(text, snapshot.id)
            self.kept.keep(run, text)
            return found


@contextmanager
def open_vault(fleet: "Fleet", host: str, places: Places, progress: Progress = silent) -> Iterator[Vault]:
    """Open a host's backups; what opens them stays in this process's memory and in restic's.

    Args:
        fleet: the definitions.
        host: whose.
        places: the host's directories.
        progress: is told what is saved and fetched, and how far that is.

    Raises:
        UserError: the host has no repository, or a secret cannot be read.
    """
    yield vault_of(asked_repository(fleet, host), places, progress)


def vault_of(asked: AskedRepository, places: Places, progress: Progress = silent) -> Vault:
    """Open the backups in a host's repository; as `open_vault`."""
    return Vault(opened(asked, places), asked.fleet, asked.host, places, progress)


def _called(wanted: str, sets: list[BackupSet], instance: str) -> BackupSet:
    found = [one for one in sets if wanted and one.id.startswith(wanted)]
    if len(found) != 1:
        raise UserError(
            f"{len(found) or 'no'} backups of {instance} are called {wanted}",
            hint=f"there are: {', '.join(one.short for one in sets) or 'none'}",
        )
    return found[0]
