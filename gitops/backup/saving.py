"""One run: every dataset of some instances saved, and at last the manifest that makes backups of them.

What fails of one instance's datasets is noted, and spoils its set alone. What fails of the repository ends
the run, since there is nowhere to note anything.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from gitops.backup.bundle import Bundle
from gitops.backup.databases import KINDS
from gitops.backup.insisting import insist
from gitops.backup.refusals import ParentError, has_vanished
from gitops.backup.restic import Saved
from gitops.backup.sets import MANIFEST, VOLUME, BackupSet, Dataset, Part, manifest_text
from gitops.backup.vault import Vault
from gitops.backup.verify import one_line
from gitops.backup.wanted import Wanted, find_container, users, wanted
from gitops.engine.docker import Docker
from gitops.engine.held import hold
from gitops.fleet.backups import Backup
from gitops.fleet.fleet import Instance
from gitops.fleet.names import volume_name
from gitops.secrets.hiding import hide
from gitops.system.errors import UserError
from gitops.system.places import Places

STAGED = 16 << 20
"""Bytes of the longest dump that waits for the others, to be saved together with them."""

_TRIES = 3
_METHODS: tuple[Literal["pause", "stop"], ...] = ("pause", "stop")

_Answer = TypeVar("_Answer")


class _DumpError(Exception):
    """A dump went wrong, and not what stores it."""


@dataclass
class _Own:
    """What a run has of one instance so far."""

    instance: Instance
    backup: Backup
    wanted: list[Wanted] = field(default_factory=list)
    parts: dict[Dataset, Part] = field(default_factory=dict)
    failed: dict[Dataset, str] = field(default_factory=dict)
    stood_still: float = 0.0

    @property
    def databases(self) -> list[Wanted]:
        return [one for one in self.wanted if one.dataset.kind != VOLUME]

    def volumes(self, method: str) -> list[Wanted]:
        return [one for one in self.wanted if one.dataset.kind == VOLUME and one.method == method]


class Saving:
    """A run under way."""

    def __init__(
        self,
        vault: Vault,
        engine: Docker,
        places: Places,
        tell: Callable[[str], object],
        *,
        run: str,
        began: datetime,
        safety: bool,
    ) -> None:
        """Begin a run.

        Args:
            vault: where it is saved.
            engine: the host's.
            places: the host's directories.
            tell: is given a line for people at each step.
            run: the run's id.
            began: now.
            safety: whether the sets are no backups, but what a restore keeps.
        """
        self._vault, self._engine, self._places, self._tell = vault, engine, places, tell
        self._run, self._began, self._safety = run, began, safety
        self._tags = (*vault.tags, f"run={run}")
        self._bundle = Bundle(places)

    def save(self, instances: Sequence[tuple[Instance, Backup]]) -> list[BackupSet]:
        """Save instances, and give their sets as they became, in the same order.

        Raises:
            UserError: the repository does not take them; then there are none.
        """
        everything = [_Own(instance, backup) for instance, backup in instances]
        for own in everything:
            own.wanted, silent = wanted(self._engine, self._vault.fleet, own.instance, own.backup)
            for dataset, why in silent:
                self._fail(own, dataset, why)
        try:
            staged = [dump for own in everything for dump in self._dumps(own)]
            live = [(own, one) for own in everything for one in own.volumes("live")]
            self._insist(lambda: self._bundled(staged, live))
            for own in everything:
                for method in _METHODS:
                    if volumes := own.volumes(method):
                        self._insist(lambda o=own, m=method, v=volumes: self._still(o, m, v))  # type: ignore[misc]
        finally:
            self._bundle.clear()
        sets = [self._set(own) for own in everything]
        saved = self._insist(lambda: self._save_manifest(sets))
        self._vault.keep(self._run, manifest_text(sets))
        return self._vault.resolve(self._run, [replace(one, id=saved.snapshot) for one in sets])

    def _dumps(self, own: _Own) -> Iterator[tuple[_Own, Part]]:
        """Save the long dumps of an instance, and give the short ones, which wait in the bundle."""
        for one in own.databases:
            self._tell(f"{own.instance.name}: saving {one.dataset}")
            try:
                part = self._insist(lambda o=one: self._dump(own, o))  # type: ignore[misc]
            except _DumpError as error:
                self._fail(own, one.dataset, str(error))
                continue
            if part.snapshot:
                own.parts[one.dataset] = part
            else:
                yield own, part

    def _dump(self, own: _Own, one: Wanted) -> Part:
        """Dump a database: into the bundle, where its part has no snapshot yet; or, if long, into its own."""
        kind, dataset, name = KINDS[one.dataset.kind], one.dataset, own.instance.name
        file = dataset.file(kind.extension)
        try:
            container = find_container(self._engine, self._vault.fleet, own.instance, dataset.service)
            dump = kind.dump(self._engine, container, dataset.name, one.login, own.backup.timeout)
        except UserError as error:
            raise _DumpError(str(error)) from error
        staged = self._bundle.dump(name, file)
        try:
            chunks = _dumped(iter(dump))
            if staged.take(chunks, STAGED):
                return Part(dataset, "", f"/{name}/{file}", staged.size, dump.fingerprint)
            with self._vault.restic.incoming(file, self._tags) as incoming:
                size = 0
                for chunk in staged.then(chunks):
                    incoming.write(chunk)
                    size += len(chunk)
                snapshot = incoming.finish().snapshot
            return Part(dataset, snapshot, f"/{file}", size, dump.fingerprint)
        except OSError as error:
            staged.path.unlink(missing_ok=True)
            raise _DumpError(f"it cannot wait in {self._bundle.directory}: {error}") from error
        except _DumpError:
            staged.path.unlink(missing_ok=True)
            raise
        finally:
            dump.close()

    def _bundled(self, staged: Sequence[tuple[_Own, Part]], volumes: Sequence[tuple[_Own, Wanted]]) -> None:
        """Save what waits in the bundle, and volumes; those that change under restic's eyes once more."""
        parent = self._vault.parent([(own.instance.name, one.dataset) for own, one in volumes])
        for attempt in range(1, _TRIES + 1):
            seen = self._see(volumes)
            if not (staged or seen):
                return
            saved = self._save_bundle(parent)
            for own, part in staged:
                own.parts[part.dataset] = replace(part, snapshot=saved.snapshot)
            again = []
            for own, one, source in seen:
                path = one.dataset.directory(own.instance.name)
                why = [why for item, why in saved.unread if _is_below(item, self._bundle.directory / path)]
                if why and attempt < _TRIES:
                    again.append((own, one))
                elif lasting := [each for each in why if not has_vanished(each)]:
                    self._fail(own, one.dataset, lasting[0])
                else:
                    own.parts[one.dataset] = Part(one.dataset, saved.snapshot, f"/{path}", _size(source), "")
            staged, volumes, parent = (), again, saved.snapshot
            self._bundle.clear()

    def _see(self, volumes: Sequence[tuple[_Own, Wanted]]) -> list[tuple[_Own, Wanted, Path]]:
        """Let the bundle have volumes; give those that there are, and where."""
        found = []
        for own, one in volumes:
            full = volume_name(self._vault.fleet, own.instance.name, one.dataset.name)
            try:
                source = self._engine.volume_path(full)
            except UserError as error:
                self._fail(own, one.dataset, str(error))
                continue
            self._bundle.volume(one.dataset.directory(own.instance.name), source)
            found.append((own, one, source))
        return found

    def _save_bundle(self, parent: str) -> Saved:
        save = partial(
            self._vault.restic.save_directory,
            self._bundle.directory,
            self._tags,
            volumes=self._bundle.volumes,
        )
        try:
            return save(parent=parent)
        except ParentError:
            return save()

    def _still(self, own: _Own, method: Literal["pause", "stop"], volumes: Sequence[Wanted]) -> None:
        """Save volumes of an instance while their services stand still."""
        names = [one.dataset.name for one in volumes]
        standing = users(self._engine, self._vault.fleet, own.instance, names)
        failed: UserError | None = None
        try:
            with hold(self._engine, standing, method, self._places, "backup") as still:
                try:
                    self._bundled([], [(own, one) for one in volumes])
                except UserError as error:
                    failed = error
        except UserError as error:  # they cannot stand still, or not go on
            for one in volumes:
                self._fail(own, one.dataset, str(error))
        else:
            own.stood_still += still.seconds
            self._tell(
                f"{own.instance.name}: services of {', '.join(names)} stood still for {still.seconds:.1f} s"
            )
        if failed:
            raise failed

    def _set(self, own: _Own) -> BackupSet:
        return BackupSet(
            "",
            self._run,
            self._vault.fleet,
            self._vault.host,
            own.instance.name,
            self._began,
            tuple(own.parts[one.dataset] for one in own.wanted if one.dataset in own.parts),
            tuple(own.failed.items()),
            own.stood_still,
            self._safety,
        )

    def _save_manifest(self, sets: Sequence[BackupSet]) -> Saved:
        return self._vault.restic.save_stream([manifest_text(sets)], MANIFEST, (*self._tags, "set"))

    def _insist(self, call: Callable[[], _Answer]) -> _Answer:
        return insist(call, self._vault.restic, self._tell)

    def _fail(self, own: _Own, dataset: Dataset, why: str) -> None:
        """Note that a dataset was not saved; what a container said may hold a secret, or no end."""
        own.parts.pop(dataset, None)
        own.failed[dataset] = one_line(hide(why, self._places.runtime / "secrets"))
        self._tell(f"{own.instance.name}: {dataset} failed: {own.failed[dataset]}")


def _dumped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass a dump on, and tell its failing from that of whoever takes it."""
    try:
        yield from chunks
    except UserError as error:
        raise _DumpError(str(error)) from error


def _is_below(item: str, directory: Path) -> bool:
    return Path(item).is_relative_to(directory)


def _size(directory: Path) -> int:
    """Add the bytes of a volume's files up; one that vanishes meanwhile counts nothing."""
    size = 0
    for place, _, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  # Paths take long
    return size
