"""What of an instance is saved: the datasets that its definition asks for, and who connects to them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from gitops.backup.asked import Asked, AskedDatabase, Method
from gitops.backup.login import Login
from gitops.backup.sets import VOLUME, Dataset
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
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
    method: Method = "live"


def wanted(
    engine: Docker, fleet: str, host: str, asked: Asked
) -> tuple[list[Wanted], list[tuple[Dataset, str]]]:
    """List what of an instance is to be saved: databases first, so that every file a row names is saved too.

    Returns:
        The datasets; and servers that do not tell, asked for all of their databases, and why.
    """
    found: list[Wanted] = []
    silent: list[tuple[Dataset, str]] = []
    for one in asked.databases:
        try:
            names = _names(engine, fleet, host, asked.instance, one)
        except UserError as error:
            silent.append((Dataset(one.kind, one.service, "*"), str(error)))
            continue
        found += [Wanted(Dataset(one.kind, one.service, name), _login(one)) for name in names]
    found += [Wanted(Dataset(VOLUME, "", one.name), method=one.method) for one in asked.volumes]
    return found, silent


def login_of(asked: Asked, dataset: Dataset) -> Login:
    """Say who connects to a database that was saved, as the definition has it now."""
    known = [one for one in asked.databases if (one.kind, one.service) == (dataset.kind, dataset.service)]
    named = [one for one in known if one.name == dataset.name]
    return _login((named or known)[0]) if known else Login()


def find_container(engine: Docker, fleet: str, host: str, instance: str, service: str) -> str:
    """Give the name of the running container of a database's service, or raise."""
    found = engine.running(fleet, host, instance, service)
    if found is None:
        raise UserError(f"{instance}/{service} is not running", hint="start it: gitops apply")
    return found.name


def users(engine: Docker, fleet: str, host: str, asked: Asked, volumes: Collection[str]) -> list[Observed]:
    """Give the containers of an instance that have any of these volumes, in the order in which they start."""
    having = {name for volume in asked.volumes if volume.name in volumes for name in volume.services}
    found = [
        one
        for one in engine.containers(fleet, host)
        if one.instance == asked.instance and one.service in having and not one.aside
    ]
    return sorted(found, key=lambda one: asked.services.index(one.service))


def _names(engine: Docker, fleet: str, host: str, instance: str, database: AskedDatabase) -> list[str]:
    if not database.all:
        return [database.name]
    from gitops.backup.databases import KINDS  # noqa: PLC0415  # an instance may have no database

    container = find_container(engine, fleet, host, instance, database.service)
    return KINDS[database.kind].names(engine, container, _login(database))


def _login(database: AskedDatabase) -> Login:
    return Login(database.user, database.password_file)
