"""A drill: the newest backup of an instance, restored into a throw-away copy of it, which must then work.

Database servers start empty. Their dumps are loaded, and what is there is compared with the fingerprint that
was taken with each dump, before anything else runs that could write. Then everything starts on the volumes
that were restored, must be well, and must answer the app's `verify`. Of the real instance nothing is touched.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field

from gitops.backup.databases import KINDS
from gitops.backup.drill import load, loading_order, put_into, wait_ready
from gitops.backup.outgoing import Outgoing
from gitops.backup.pieces import file_in_volume
from gitops.backup.sets import VOLUME, BackupSet, Dataset, Part
from gitops.backup.vault import Vault
from gitops.backup.verify import login, one_line, verify
from gitops.deploy.duplicate import copy_of
from gitops.deploy.host import Wanted
from gitops.deploy.throwaway import Throwaway, throw_away
from gitops.engine.docker import Docker
from gitops.fleet.backups import Backup, Database
from gitops.fleet.fleet import Instance
from gitops.report.history import Run, record
from gitops.secrets.hiding import hide
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places

Tell = Callable[[str], object]

_HEAD_START = 1.0
"""Seconds in which servers may be made before the repository is opened: that keeps processors busy, which the
engine needs, while a server that starts up leaves them time."""


def drill(
    vault: Vault, engine: Docker, wanted: Wanted, instance: str, places: Places, *, tell: Tell
) -> BackupSet:
    """Prove the newest complete backup of an instance; the history remembers how it went.

    Args:
        vault: the host's repository.
        engine: the host's engine, which has the images that the instance runs.
        wanted: what the fleet says of the host.
        instance: one of its instances.
        places: where history and secrets are.
        tell: is given a line for people at each step.

    Returns:
        The set that was proved.

    Raises:
        UserError: it is not good, and why; or it could not be tried.
    """
    began, subject = now(), ""
    try:
        real = wanted.fleet.instance(wanted.host, instance)
        copy = copy_of(wanted.desired, instance, wanted.fleet.settings.name, wanted.host)
        with throw_away(copy, engine, places) as made:
            began = now()
            with closing(_Drill(vault, engine, real, made, tell)) as one:
                chosen = one.begin()
                subject = f"backup {chosen.short}: "
                proved = one.prove(chosen)
    except UserError as error:
        said = [part for one in error.problems for part in (one.message, one.hint) if part]
        reason = subject + one_line(hide("; ".join(said), places.runtime / "secrets"))
        record(places, Run("drill", instance, "", began, now(), 1, reason))
        raise UserError(f"{instance}: the drill failed: {reason}") from error
    record(places, Run("drill", instance, "", began, now(), 0, subject + proved))
    return chosen


@dataclass
class _Drill:
    """One drill and what it needs to know.

    Args:
        vault: where the backups are.
        engine: the host's engine.
        instance: the real one.
        made: the copy.
        tell: is given a line for people at each step.
        filled: the volumes that are restored so far, and the files in them that are databases.
        databases: those of the set that the app still names, in the order in which they are loaded.
        ahead: the dump that is being read before it is known that it will be loaded.
    """

    vault: Vault
    engine: Docker
    instance: Instance
    made: Throwaway
    tell: Tell
    filled: set[Dataset] = field(default_factory=set)
    databases: dict[Part, Database] = field(default_factory=dict)
    ahead: tuple[Part, Outgoing] | None = None

    def begin(self) -> BackupSet:
        """Choose the set; servers on volumes that no backup has start first, since both take their time."""
        servers = self._servers()
        saved = {one.name for one in self._backup.volumes}
        if saved & self._volumes_of(servers):
            return self._choose()
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(self.made.start, servers)
            wait([starting], _HEAD_START)
            chosen = self._choose()  # restic lives no longer than the thread it is of
            starting.result()
        return chosen

    def _choose(self) -> BackupSet:
        """Choose the set, and begin to read a dump besides: mostly it is known here which one it will be."""
        if first := self._first(dict(self._known(self.vault.expected(self.instance.name)))):
            self.ahead = first, self.vault.begin_reading(first)
        return self.vault.choose(self.instance.name)

    def prove(self, chosen: BackupSet) -> str:
        """Restore and prove a set; say in a few words what was proved."""
        services, backup, servers = self.instance.definition.services, self._backup, self._servers()
        self.databases = dict(self._known(chosen.parts, self._not_proved))
        self._fill(chosen, self._volumes_of(servers))
        self.made.start(servers)
        self._fill(chosen)  # while they start up
        first = self._first(self.databases)
        if first and (self.ahead is None or self.ahead[0] != first):
            self.close()
            self.ahead = first, self.vault.begin_reading(first)
        for part, database in self.databases.items():
            if database.service in servers:
                self._load(part, database)
        others = {
            part: one
            for part, one in self.databases.items()
            if one.service not in servers and part.dataset not in self.filled
        }
        own = {database.service for database in others.values()}
        self.made.start(own)
        for part, database in others.items():
            self._load(part, database)
        self.made.restart(own)  # as after any restore, so that they begin with what is there now
        self.tell(f"{self.instance.name}: starting everything")
        self.made.start(services)
        self.made.prove(services)
        for question in backup.verify:
            self.tell(f"{self.instance.name}: asking {question.service}")
            container = self.made.container(question.service)
            verify(self.engine, container, question, backup, services[question.service])
        volumes = sum(dataset.kind == VOLUME for dataset in self.filled)
        counts = {"database": len(self.databases), "volume": volumes, "question": len(backup.verify)}
        return ", ".join(f"{count} {word}{'s' * (count != 1)}" for word, count in counts.items() if count)

    def close(self) -> None:
        """Give up what is being read ahead."""
        if self.ahead:
            self.ahead[1].close()
            self.ahead = None

    @property
    def _backup(self) -> Backup:
        return self.instance.definition.backup or Backup()

    def _servers(self) -> set[str]:
        """Give the services that are database servers."""
        return {one.service for one in self._backup.databases if not KINDS[one.kind].embedded}

    def _volumes_of(self, services: Collection[str]) -> set[str | None]:
        """Give the volumes of services, and of those that start before them."""
        all_of_them = self.instance.definition.services
        first = self.made.with_dependencies(services)
        return {mount.source for name in first for mount in all_of_them[name].volumes}

    def _first(self, databases: Mapping[Part, Database]) -> Part | None:
        """Give the dump that is loaded first into a server."""
        servers = self._servers()
        return next((part for part, one in databases.items() if one.service in servers), None)

    def _known(
        self, parts: Iterable[Part], other: Callable[[Part], object] = lambda _: None
    ) -> Iterator[tuple[Part, Database]]:
        """Find out what the app says of the databases of a set, in the order in which they are loaded.

        Args:
            parts: the set's.
            other: is given those of which it says nothing.
        """
        for part in loading_order(parts):
            kind, service, name = part.dataset.kind, part.dataset.service, part.dataset.name
            known = [
                one
                for one in self._backup.databases
                if (one.kind, one.service) == (kind, service) and (one.all or (one.name or "") == name)
            ]
            if known:
                yield part, known[0]
            elif kind != VOLUME:
                other(part)

    def _fill(self, chosen: BackupSet, volumes: Collection[str | None] | None = None) -> None:
        """Restore those of the set's volumes that are named and empty so far; None: all of them."""
        for part in chosen.parts:
            dataset = part.dataset
            if dataset.kind != VOLUME or dataset in self.filled:
                continue
            if volumes is not None and dataset.name not in volumes:
                continue
            saved = dataset.name in {one.name for one in self._backup.volumes}
            place = self.made.directory(dataset.name) if saved else None
            if place is None:
                self._not_proved(part)
                continue
            self.tell(f"{self.instance.name}: restoring {dataset}")
            place.rmdir()  # new and empty, and about to be made again with its own owner and mode
            self.vault.restore(part, place)
            self.filled.add(dataset)
            for database in self.databases:
                if found := file_in_volume(self.instance, database.dataset, {dataset.name: str(place)}):
                    self.tell(f"{self.instance.name}: restoring {database.dataset}")
                    put_into(self.vault, database, place, found[1])
                    self.filled.add(database.dataset)

    def _load(self, part: Part, database: Database) -> None:
        """Load a dump when its server answers; one with a healthcheck must be healthy before that."""
        self.tell(f"{self.instance.name}: restoring {part.dataset}")
        service, container = database.service, self.made.container(database.service)
        if not KINDS[part.dataset.kind].embedded and self.made.has_health(service):
            self.made.prove([service])
        who = login(database, self.instance.definition.services[service])
        wait_ready(self.engine, container, part, who, lambda: self.made.refuse_dead(service))
        begun = self.ahead[1] if self.ahead and self.ahead[0] == part else None
        load(self.vault, self.engine, container, part, who, self.vault.read(part, begun))

    def _not_proved(self, part: Part) -> None:
        self.tell(f"{self.instance.name}: {part.dataset} is not proved, because the app has it no more")
