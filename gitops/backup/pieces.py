"""What a restore brings where: each part of a set, and the container or the directory that it is for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gitops.backup.asked import asked
from gitops.backup.login import Login
from gitops.backup.sets import VOLUME, Dataset, Part
from gitops.backup.wanted import find_container, login_of
from gitops.engine.docker import Docker
from gitops.fleet.names import container_name, volume_name
from gitops.system.errors import Problem, UserError

if TYPE_CHECKING:
    from gitops.fleet.fleet import Instance


@dataclass(frozen=True)
class Piece:
    """One part on its way back.

    Args:
        dataset: what it becomes, in the words of the instance that is restored.
        part: where the backup has it.
        container: a database's: the name of the container of its service; empty for others.
        login: who connects to a database.
        directory: a volume's, on this machine; empty for a database.
        file: an SQLite database that lies in a volume which is restored too: its file, from `directory` on.
        inode: of a volume's fresh directory, once it is whole; it tells which of the two is in place.
    """

    dataset: Dataset
    part: Part
    container: str = ""
    login: Login = field(default_factory=Login)
    directory: str = ""
    file: str = ""
    inode: int = 0


def selected(parts: Iterable[Part], only: Collection[str]) -> list[Part]:
    """Choose parts as people name them: `db/shop`, `volume/uploads`, or as they are listed.

    Args:
        parts: a set's.
        only: the names; none means all.

    Raises:
        UserError: nothing is called so; the hint says what there is.
    """
    there = list(parts)
    if not only:
        return there
    known = {part: _names(part.dataset) for part in there}
    unknown = [one for one in only if not any(one in names for names in known.values())]
    if unknown:
        raise UserError(
            f"this backup has nothing called {', '.join(unknown)}",
            hint=f"there are: {', '.join(_shortest(part.dataset) for part in there)}",
        )
    return [part for part in there if known[part] & set(only)]


def renamed(dataset: Dataset, source: "Instance", target: "Instance") -> Dataset:
    """Give a dataset of one instance as another instance of the same app calls it."""
    ours, theirs = source.definition.backup, target.definition.backup
    if ours and theirs:
        for one, other in zip(ours.databases, theirs.databases, strict=False):
            if Dataset(one.kind, one.service, one.name or "") == dataset:
                return replace(dataset, name=other.name or "")
        for copy, other_copy in zip(ours.volumes, theirs.volumes, strict=False):
            if Dataset(VOLUME, "", copy.name) == dataset:
                return replace(dataset, name=other_copy.name)
    return dataset


def pieces(
    engine: Docker, fleet: str, instance: "Instance", wanted: Sequence[tuple[Dataset, Part]]
) -> tuple[Piece, ...]:
    """Find the place of each part in an instance: databases first, then volumes, then files in these.

    Args:
        engine: the engine of the instance's host.
        fleet: the fleet's name.
        instance: what is restored; its volumes exist, and the containers of its databases run.
        wanted: the parts, each with the dataset that it becomes.

    Raises:
        UserError: a volume or container is missing, or in the way; all of it at once.
    """
    problems: list[Problem] = []
    directories: dict[str, str] = {}
    found: list[Piece] = []
    for dataset, part in wanted:
        if dataset.kind == VOLUME:
            try:
                place = engine.volume_path(volume_name(fleet, instance.name, dataset.name))
            except UserError as error:
                problems += [one._replace(hint="gitops apply makes it") for one in error.problems]
                continue
            if place.is_mount():
                problems.append(Problem(message=f"{place} is a mount, which cannot change places"))
            directories[dataset.name] = str(place)
            found.append(Piece(dataset, part, directory=str(place)))
    databases, files = [], []
    for dataset, part in wanted:
        if dataset.kind == VOLUME:
            continue
        if (within := file_in_volume(instance, dataset, directories)) is not None:
            files.append(Piece(dataset, part, directory=within[0], file=within[1]))
            continue
        try:
            container = find_container(engine, fleet, instance.host, instance.name, dataset.service)
        except UserError as error:
            problems += error.problems
            continue
        problems += _in_use(instance, dataset.service, directories)
        databases.append(Piece(dataset, part, container, login_of(asked(instance), dataset)))
    if problems:
        raise UserError.of(list(dict.fromkeys(problems)))
    return (*databases, *found, *files)


def standing_still(fleet: str, instance: "Instance", wanted: Iterable[Piece]) -> tuple[str, ...]:
    """Name the containers that must stand still for a change-over, in the order in which they start.

    Those are the users of its volumes; and where a database changes, whoever may use that: all services but
    those that are databases themselves.
    """
    there = list(wanted)
    volumes = {one.dataset.name for one in there if one.dataset.kind == VOLUME}
    backup = instance.definition.backup
    servers = {one.service for one in backup.databases} if backup else set()
    servers |= {one.dataset.service for one in there if one.container}
    a_database = any(one.container for one in there)
    return tuple(
        container_name(fleet, instance.name, service)
        for service in asked(instance).services
        if (a_database and service not in servers)
        or volumes & {mount.source for mount in instance.definition.services[service].volumes}
    )


def file_in_volume(
    instance: "Instance", dataset: Dataset, directories: Mapping[str, str]
) -> tuple[str, str] | None:
    """Say in which of the restored volumes an SQLite database lies.

    Args:
        instance: whose it is.
        dataset: the database.
        directories: of the volumes, each by the name that the app gives it.

    Returns:
        The volume's directory, and the file from there on; None for what lies elsewhere.
    """
    service = instance.definition.services.get(dataset.service)
    if dataset.kind != "sqlite" or service is None:
        return None
    path = PurePosixPath(dataset.name)
    over = [mount for mount in service.volumes if path.is_relative_to(mount.target)]
    innermost = max(over, key=lambda mount: len(PurePosixPath(mount.target).parts), default=None)
    if innermost is None or innermost.type != "volume" or (innermost.source or "") not in directories:
        return None
    return directories[innermost.source or ""], str(path.relative_to(innermost.target))


def _names(dataset: Dataset) -> set[str]:
    return {str(dataset), _shortest(dataset)}


def _shortest(dataset: Dataset) -> str:
    if dataset.kind == VOLUME:
        return f"volume/{dataset.name}"
    return f"{dataset.service}/{dataset.name}" if dataset.name else dataset.service


def _in_use(instance: "Instance", service: str, directories: Mapping[str, str]) -> list[Problem]:
    """Tell which restored volumes a database's own server keeps open."""
    used = {mount.source for mount in instance.definition.services[service].volumes}
    return [
        Problem(
            message=f"the volume {name} of {instance.name} cannot be restored together with the databases in"
            f" {service}, which uses it",
            hint=f"leave one of them out with --only; and back up the databases of {service} alone, not the"
            " volume that holds them",
        )
        for name in sorted(used & directories.keys(), key=str)
    ]
