"""What of an instance is saved: the datasets that its definition asks for, and who connects to them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from gitops.backup.databases import KINDS, Login
from gitops.backup.sets import VOLUME, Dataset
from gitops.backup.verify import login
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.fleet.backups import Backup, Database
from gitops.fleet.fleet import Instance
from gitops.fleet.instances import starting_order
from gitops.system.errors import UserError


@dataclass(frozen=True)
class Wanted:
    """A dataset to be saved.

    Args:
        dataset: which.
        login: who connects, to a database.
        method: how a volume's services are meanwhile: `live` as ever, otherwise standing still.
    """

    dataset: Dataset
    login: Login = field(default_factory=Login)
    method: Literal["live", "pause", "stop"] = "live"


def wanted(
    engine: Docker, fleet: str, instance: Instance, backup: Backup
) -> tuple[list[Wanted], list[tuple[Dataset, str]]]:
    """List what is to be saved: databases first, so that every file a row names is saved too.

    Returns:
        The datasets; and servers that do not tell, asked for all of their databases, and why.
    """
    found: list[Wanted] = []
    silent: list[tuple[Dataset, str]] = []
    for one in backup.databases:
        try:
            names = _names(engine, fleet, instance, one)
        except UserError as error:
            silent.append((Dataset(one.kind, one.service, "*"), str(error)))
            continue
        found += [Wanted(Dataset(one.kind, one.service, name), _login(instance, one)) for name in names]
    found += [Wanted(Dataset(VOLUME, "", one.name), method=one.method) for one in backup.volumes]
    return found, silent


def login_of(instance: Instance, dataset: Dataset) -> Login:
    """Say who connects to a database that was saved, as the definition has it now."""
    backup = instance.definition.backup
    known = [
        one
        for one in (backup.databases if backup else ())
        if (one.kind, one.service) == (dataset.kind, dataset.service)
    ]
    named = [one for one in known if one.name == dataset.name]
    return _login(instance, (named or known)[0]) if known else Login()


def find_container(engine: Docker, fleet: str, instance: Instance, service: str) -> str:
    """Give the name of the running container of a database's service, or raise."""
    found = engine.running(fleet, instance.host, instance.name, service)
    if found is None:
        raise UserError(f"{instance.name}/{service} is not running", hint="start it: gitops apply")
    return found.name


def users(engine: Docker, fleet: str, instance: Instance, volumes: Collection[str]) -> list[Observed]:
    """Give the containers that have any of these volumes, in the order in which they start."""
    services = instance.definition.services
    having = [
        name
        for name in starting_order(instance)
        if not {mount.source for mount in services[name].volumes}.isdisjoint(volumes)
    ]
    found = [
        one
        for one in engine.containers(fleet, instance.host)
        if one.instance == instance.name and one.service in having and not one.aside
    ]
    return sorted(found, key=lambda one: having.index(one.service))


def _names(engine: Docker, fleet: str, instance: Instance, database: Database) -> list[str]:
    if not database.all:
        return [database.name or ""]
    container = find_container(engine, fleet, instance, database.service)
    return KINDS[database.kind].names(engine, container, _login(instance, database))


def _login(instance: Instance, database: Database) -> Login:
    return login(database, instance.definition.services[database.service])
