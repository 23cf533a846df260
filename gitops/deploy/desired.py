"""What a host is to run, worked out from its definitions alone: no engine, no network, no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops.engine.specification import (
    Condition,
    ContainerSpec,
    DependencySpec,
    HealthSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    SecretSpec,
    VolumeSpec,
)
from gitops.fleet.fleet import Fleet, Instance
from gitops.fleet.images import Healthcheck
from gitops.fleet.instances import starting_order
from gitops.fleet.names import container_name, network_name, volume_name
from gitops.fleet.rollout import Rollout
from gitops.fleet.services import Mount, Service

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID")
"""What Debian's daemons need to start as root and drop to their own user."""


@dataclass(frozen=True)
class SecretFiles:
    """Where decrypted secrets go on the host, and the digest of each encrypted one."""

    directory: Path = Path("/run/gitops/secrets")
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Placed:
    """What an instance is a copy of, and how changes reach it."""

    app: str = ""
    rollout: Rollout = field(default_factory=Rollout.model_construct)


@dataclass(frozen=True)
class Desired:
    """All that a host is to have.

    Args:
        containers: those of one instance stand together, in the order in which they start.
        networks: by name.
        volumes: by name.
        placed: each instance.
    """

    containers: tuple[ContainerSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    volumes: tuple[VolumeSpec, ...] = ()
    placed: Mapping[str, Placed] = field(default_factory=dict)

    def instances(self) -> dict[str, list[ContainerSpec]]:
        """Give the containers of each instance."""
        found: dict[str, list[ContainerSpec]] = {}
        for one in self.containers:
            found.setdefault(one.instance, []).append(one)
        return found


def desired(
    fleet: Fleet,
    host: str,
    references: Mapping[tuple[str, str], str],
    secrets: SecretFiles | None = None,
) -> Desired:
    """Work out what a host is to run.

    Args:
        fleet: the definitions.
        host: one of its hosts.
        references: what each (image, architecture) is called on the engine.
        secrets: where secrets go, and their digests.
    """
    containers = tuple(
        _container(fleet, instance, service, references, secrets or SecretFiles())
        for instance in fleet.instances(host).values()
        for service in starting_order(instance)
    )
    networks = {
        network_name(fleet.settings.name, instance.name, network): NetworkSpec(
            network_name(fleet.settings.name, instance.name, network), instance.name, network
        )
        for instance in fleet.instances(host).values()
        for service in instance.definition.services.values()
        for network in service.networks or ("default",)
    }
    volumes = {
        mount.source: VolumeSpec(
            mount.source, one.instance, mount.source.removeprefix(f"{fleet.settings.name}.{one.instance}.")
        )
        for one in containers
        for mount in one.volumes
        if mount.type == "volume"
    }
    return Desired(
        containers,
        tuple(networks[name] for name in sorted(networks)),
        tuple(volumes[name] for name in sorted(volumes)),
        {
            name: Placed(instance.app, instance.definition.rollout)
            for name, instance in fleet.instances(host).items()
        },
    )


def _container(
    fleet: Fleet,
    instance: Instance,
    name: str,
    references: Mapping[tuple[str, str], str],
    secrets: SecretFiles,
) -> ContainerSpec:
    service = instance.definition.services[name]
    prefix = fleet.settings.name
    own_secrets = tuple(
        SecretSpec(
            source=use.source,
            target=use.target or use.source,
            uid=int(use.uid),
            gid=int(use.gid),
            mode=use.mode,
            digest=secrets.digests.get(use.source, ""),
        )
        for use in service.secrets
    )
    return ContainerSpec(
        name=container_name(prefix, instance.name, name),
        instance=instance.name,
        service=name,
        image=references[service.image, fleet.hosts[instance.host].architecture],
        image_name=service.image,
        networks=tuple(
            (network_name(prefix, instance.name, network), tuple(sorted({name, *aliases})))
            for network, aliases in sorted(_networks(service).items())
        ),
        command=service.command,
        entrypoint=service.entrypoint,
        environment=tuple(sorted(service.environment.items())),
        ports=tuple(
            PortSpec(target, published, port.host_ip, port.protocol)
            for port in service.ports
            for published, target in port.pairs()
        ),
        volumes=tuple(_mounts(fleet, instance, name)),
        secrets=own_secrets,
        secrets_directory=str(secrets.directory / instance.name / name) if own_secrets else "",
        depends_on=tuple(_dependencies(fleet, instance, service)),
        healthcheck=_health(service.healthcheck),
        has_health=_has_health(fleet, service),
        restart=service.restart,
        user=service.user,
        working_dir=service.working_dir,
        hostname=service.hostname,
        init=service.init,
        read_only=service.read_only,
        capabilities=_capabilities(service),
        security_opt=_security(service),
        mem_limit=service.mem_limit,
        cpus=service.cpus,
        pids_limit=service.pids_limit,
        shm_size=service.shm_size,
        ulimits=tuple((limit, value.soft, value.hard) for limit, value in sorted(service.ulimits.items())),
        stop_signal=service.stop_signal,
        stop_grace_period=service.stop_grace_period,
        extra_hosts=tuple(sorted(service.extra_hosts.items())),
        labels=tuple(sorted(service.labels.items())),
        logging=_logging(service),
    )


def _networks(service: Service) -> dict[str, tuple[str, ...]]:
    return {name: use.aliases for name, use in service.networks.items()} or {"default": ()}


def _mounts(fleet: Fleet, instance: Instance, name: str) -> Iterator[MountSpec]:
    service = instance.definition.services[name]
    for mount in service.volumes:
        yield MountSpec(
            mount.type, _source(fleet, instance, name, mount), mount.target, mount.read_only, mount.size
        )
    for target in service.tmpfs:
        yield MountSpec("tmpfs", "", target)
    # A directory that the image calls data would get a nameless volume, lost with its container.
    mounted = {mount.target for mount in service.volumes} | set(service.tmpfs)
    for target in sorted(_image_volumes(fleet, service.image) - mounted):
        yield MountSpec("volume", _source(fleet, instance, name, Mount(target=target)), target)


def _source(fleet: Fleet, instance: Instance, service: str, mount: Mount) -> str:
    if mount.type != "volume":
        return mount.source or ""
    name = mount.source or service + mount.target.rstrip("/").replace("/", "-")
    return volume_name(fleet.settings.name, instance.name, name)


def _image_volumes(fleet: Fleet, image: str) -> set[str]:
    found: set[str] = set()
    while image in fleet.images:
        found |= set(fleet.images[image].volumes)
        image = fleet.images[image].parent
    return found


def _health(check: Healthcheck | None) -> HealthSpec | None:
    if check is None:
        return None
    disabled = check.disable or check.test == ("NONE",)
    inherited = "test" not in check.model_fields_set and not check.disable
    return HealthSpec(
        test=() if inherited else ("NONE",) if disabled else check.test,
        interval=_nanoseconds(check.interval),
        timeout=_nanoseconds(check.timeout),
        retries=check.retries,
        start_period=_nanoseconds(check.start_period),
    )


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def _has_health(fleet: Fleet, service: Service) -> bool:
    """Tell whether the engine will know of its health: by its own check, or by its image's or a parent's."""
    own = _health(service.healthcheck)
    if own and own.test:
        return own.test != ("NONE",)
    image = service.image
    while image in fleet.images:
        inherited = _health(fleet.images[image].healthcheck)
        if inherited and inherited.test:
            return inherited.test != ("NONE",)
        image = fleet.images[image].parent
    return False


def _dependencies(fleet: Fleet, instance: Instance, service: Service) -> Iterator[DependencySpec]:
    for name, dependency in sorted(service.depends_on.items()):
        on = instance.definition.services.get(name)
        if on is not None:
            default: Condition = "service_healthy" if _has_health(fleet, on) else "service_started"
            yield DependencySpec(
                name, dependency.condition or default, dependency.required, dependency.restart
            )


def _logging(service: Service) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    if service.logging is None:
        return None
    return service.logging.driver, tuple(sorted(service.logging.options.items()))


def _capabilities(service: Service) -> tuple[str, ...]:
    added = {name.removeprefix("CAP_") for name in service.cap_add}
    dropped = {name.removeprefix("CAP_") for name in service.cap_drop}
    kept = set() if "ALL" in dropped else set(CAPABILITIES) - dropped
    return ("ALL",) if "ALL" in added else tuple(sorted(kept | added))


def _security(service: Service) -> tuple[str, ...]:
    own = any(option.startswith("no-new-privileges") for option in service.security_opt)
    return (*(() if own else ("no-new-privileges",)), *service.security_opt)
