"""Restore an instance from a backup set: prepare beside what is there, then change over in one short step.

Until the change-over nothing of the instance is touched and its services run on; an interruption leaves the
old. The change-over takes about a second and lets no Ctrl-C in. Should the machine die within it, the same
command again brings all of it to the new.
"""

import contextlib
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops.backup.databases import KINDS
from gitops.backup.exchange import exchange
from gitops.backup.restic import Restic
from gitops.backup.run import DUMP, lock_path
from gitops.backup.sets import VOLUME, BackupSet, Dataset, common_tags, complete_sets
from gitops.backup.wanted import find_container, login_of
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Instance
from gitops.fleet.names import volume_name
from gitops.report.history import Run, record
from gitops.system.clock import now
from gitops.system.errors import Problem, UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places


def backup_sets(restic: Restic, fleet: str, instance: str) -> list[BackupSet]:
    """List an instance's complete sets, oldest first; an empty list where there is no repository yet."""
    return complete_sets(restic.snapshots(common_tags(fleet, instance))) if restic.is_there() else []


def choose(sets: list[BackupSet], instance: str, wanted: str | None) -> BackupSet:
    """Choose a set by the first characters of its id; None: the newest.

    Raises:
        UserError: there is none, or not just one.
    """
    if not sets:
        raise UserError(f"there is no backup of {instance}", hint=f"make one: gitops backup run {instance}")
    if wanted is None:
        return sets[-1]
    found = [one for one in sets if one.id.startswith(wanted)]
    if len(found) != 1:
        raise UserError(
            f"{len(found) or 'no'} backups of {instance} are called {wanted}",
            hint=f"there are: {', '.join(one.short for one in sets)}",
        )
    return found[0]


def restore(
    engine: Docker,
    restic: Restic,
    fleet: str,
    instance: Instance,
    chosen: BackupSet,
    places: Places,
    *,
    tell: Callable[[str], object] = lambda _: None,
) -> None:
    """Bring an instance's databases and volumes back to what a set holds.

    Args:
        engine: the engine of this host.
        restic: the host's repository.
        fleet: the fleet's name.
        instance: what is restored; its containers exist and those of its databases run.
        chosen: the set.
        places: where history and locks are.
        tell: is given a line for people at each step.

    Raises:
        UserError: it failed; the message says whether the instance is as it was.
    """
    began = now()
    with exclusive(lock_path(places), "the backup repository of this host"):
        plan = _Restore(engine, restic, fleet, instance, chosen)
        try:
            tell(f"{instance.name}: preparing {chosen.short}; nothing is changed yet")
            plan.prepare()
        except BaseException as error:
            plan.clean_up()
            unchanged = f"{instance.name} was not restored and is as it was"
            if isinstance(error, UserError):
                record(places, Run("restore", instance.name, "", began, now(), 1, chosen.short))
                raise UserError.of([*error.problems, Problem(message=unchanged)]) from error
            tell(unchanged)
            raise
        tell(f"{instance.name}: changing over")
        with _undisturbed():
            try:
                plan.change_over()
            except UserError as error:
                record(places, Run("restore", instance.name, "", began, now(), 1, chosen.short))
                half = Problem(
                    message=f"{instance.name} may be restored in part",
                    hint="run the same command again when the cause is mended",
                )
                raise UserError.of([*error.problems, half]) from error
        plan.clean_up()
        record(places, Run("restore", instance.name, "", began, now(), 0, chosen.short))


class _Restore:
    """One restore and what it needs to know."""

    def __init__(
        self, engine: Docker, restic: Restic, fleet: str, instance: Instance, chosen: BackupSet
    ) -> None:
        self._engine = engine
        self._restic = restic
        self._fleet = fleet
        self._instance = instance
        self._databases = [(dataset, part) for dataset, part in chosen.parts if dataset.kind != VOLUME]
        volumes = [(dataset, part) for dataset, part in chosen.parts if dataset.kind == VOLUME]
        self._keep_running = {dataset.service for dataset, _ in self._databases}
        self._restored: dict[Path, Path] = {}
        self._refuse_volumes_in_use(volumes)
        self._volumes = [
            (engine.volume_path(volume_name(fleet, instance.name, dataset.name)), part)
            for dataset, part in volumes
        ]

    def prepare(self) -> None:
        """Fetch everything to beside its place."""
        self.clean_up()
        for dataset, part in self._databases:
            chunks = self._restic.read(part, DUMP)
            KINDS[dataset.kind].load_beside(
                self._engine,
                self._container(dataset),
                dataset.name,
                chunks,
                login_of(self._instance, dataset),
            )
        for place, part in self._volumes:
            self._restored[place] = self._restic.restore(part, _beside(place))

    def change_over(self) -> None:
        """Stop what uses the data, exchange old and new, and start it again."""
        names = [
            one.id
            for one in self._engine.containers(self._fleet, self._instance.host)
            if one.instance == self._instance.name
            and one.service not in self._keep_running
            and not one.aside  # what a roll-out keeps stands still, and must not start beside its successor
        ]
        for name in names:
            self._engine.stop(name)
        try:
            for dataset, _ in self._databases:
                KINDS[dataset.kind].swap(
                    self._engine, self._container(dataset), dataset.name, login_of(self._instance, dataset)
                )
            for place, restored in self._restored.items():
                exchange(place, restored)
        finally:
            for name in names:
                self._engine.start(name)

    def clean_up(self) -> None:
        """Remove what lies beside the volumes: the new before the change-over, the old after it."""
        for place, _ in self._volumes:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(_beside(place))

    def _container(self, dataset: Dataset) -> str:
        return find_container(self._engine, self._fleet, self._instance, dataset.service)

    def _refuse_volumes_in_use(self, volumes: list[tuple[Dataset, str]]) -> None:
        for service in sorted(self._keep_running & set(self._instance.definition.services)):
            used = {mount.source for mount in self._instance.definition.services[service].volumes}
            for dataset, _ in volumes:
                if dataset.name in used:
                    raise UserError(
                        f"{dataset} of {self._instance.name} cannot be restored while {service} uses it",
                        hint=f"back up the databases of {service} alone, not the volume that holds them",
                    )


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.gitops-restore")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the signals that would end this process waiting until the block is done."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
