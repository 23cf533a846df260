"""What a host's definitions ask of its backups; small, and made of what JSON can hold.

A run of backups works on this alone, and not on the definitions: it needs little of them, and reading them
takes longer than some runs do (`gitops.backup.remembered`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gitops.system.errors import UserError

if TYPE_CHECKING:
    from gitops.fleet.fleet import Fleet, Instance

Method = Literal["live", "pause", "stop"]
"""How a volume's services are while it is copied: as ever, or standing still."""


class AskedDatabase(NamedTuple):
    """A database, or all of a server's.

    Args:
        kind: what it is.
        service: the service it runs in.
        name: its name there; empty where it has none, or all of them are meant.
        all: every database of the server is meant.
        user: whom to connect as; None: the server's own superuser.
        password_file: where that user's password stands in the container.
    """

    kind: str
    service: str
    name: str
    all: bool
    user: str | None
    password_file: str | None


class AskedVolume(NamedTuple):
    """A volume.

    Args:
        name: as the app calls it.
        method: how its services are meanwhile.
        services: those that have it.
    """

    name: str
    method: Method
    services: tuple[str, ...]


class Asked(NamedTuple):
    """What of an instance is backed up.

    Args:
        instance: its name.
        services: all of its services, in the order in which they start.
        databases: databases.
        volumes: volumes.
        timeout: seconds after which the dump of one database counts as failed.
    """

    instance: str
    services: tuple[str, ...]
    databases: tuple[AskedDatabase, ...] = ()
    volumes: tuple[AskedVolume, ...] = ()
    timeout: float = 6 * 3600


class Limits(NamedTuple):
    """How much of the host and its line restic may take; as gitops.fleet.backups.Limits."""

    upload: int | None = None
    download: int | None = None
    cpus: int | None = None
    nice: int = 10


class AskedRepository(NamedTuple):
    """Where a host's backups go, and what opens it.

    Args:
        fleet: the fleet's name.
        root: its directory, which has the secrets.
        host: the host's name.
        address: as restic has it: a directory, or `sftp:`, `rest:`, `s3:`…
        password: the secret that is its password; None: the host has its own.
        environment: variables that restic needs there, and their secrets.
        limits: what restic may take.
    """

    fleet: str
    root: str
    host: str
    address: str
    password: str | None
    environment: Mapping[str, str]
    limits: Limits


class AskedHost(NamedTuple):
    """What a host's definitions ask of its backups.

    Args:
        repository: where they go.
        instances: what is backed up of each instance that has anything to back up.
    """

    repository: AskedRepository
    instances: tuple[Asked, ...]


def asked(instance: "Instance") -> Asked:
    """Give what of an instance is backed up; nothing may be."""
    from gitops.fleet.instances import starting_order  # noqa: PLC0415  # who has an instance has loaded that

    backup, services = instance.definition.backup, instance.definition.services
    order = tuple(starting_order(instance))
    if backup is None:
        return Asked(instance.name, order)

    def password_file(service: str, name: str | None) -> str | None:
        files = {use.source: f"/run/secrets/{use.target or use.source}" for use in services[service].secrets}
        return files[name] if name else None

    return Asked(
        instance.name,
        order,
        tuple(
            AskedDatabase(
                one.kind,
                one.service,
                one.name or "",
                one.all,
                one.user,
                password_file(one.service, one.password),
            )
            for one in backup.databases
        ),
        tuple(
            AskedVolume(
                one.name,
                one.method,
                tuple(
                    service
                    for service in order
                    if one.name in {mount.source for mount in services[service].volumes}
                ),
            )
            for one in backup.volumes
        ),
        backup.timeout,
    )


def asked_repository(fleet: "Fleet", host: str) -> AskedRepository:
    """Give where a host's backups go.

    Raises:
        UserError: the host has no repository.
    """
    wanted = fleet.hosts[host].backup
    if wanted is None:
        raise UserError(
            f"the host {host} has no backup repository",
            hint=f"add backup: {{repository: …}} to hosts/{host}.yaml",
        )
    limits = wanted.limits
    return AskedRepository(
        fleet.settings.name,
        str(fleet.root),
        host,
        wanted.repository,
        wanted.password,
        dict(wanted.environment),
        Limits(limits.upload, limits.download, limits.cpus, limits.nice),
    )


def asked_host(fleet: "Fleet", host: str) -> AskedHost:
    """Give what a host's definitions ask of its backups; raises UserError where it has no repository."""
    every = (asked(one) for one in fleet.instances(host).values())
    return AskedHost(
        asked_repository(fleet, host), tuple(one for one in every if one.databases or one.volumes)
    )


def from_json(kept: Any) -> AskedHost:  # noqa: ANN401  # whatever the file holds
    """Read what json.dumps made of a host's; raises ValueError, TypeError or KeyError where it is none."""
    (fleet, root, host, address, password, environment, limits), instances = kept
    return AskedHost(
        AskedRepository(fleet, root, host, address, password, environment, Limits(*limits)),
        tuple(
            Asked(
                name,
                tuple(order),
                tuple(AskedDatabase(*one) for one in databases),
                tuple(AskedVolume(volume, method, tuple(services)) for volume, method, services in volumes),
                timeout,
            )
            for name, order, databases, volumes, timeout in instances
        ),
    )
