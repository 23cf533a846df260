"""A container's specification in the words of the Engine API (POST /containers/create, API 1.41)."""

from typing import TYPE_CHECKING, Any

from gitops.engine import labels
from gitops.engine.labels import UNLESS_STOPPED

if TYPE_CHECKING:
    from gitops.engine.specification import ContainerSpec, HealthSpec, MountSpec

Body = dict[str, Any]


def create_request(spec: "ContainerSpec", fleet: str, host: str, generation: str) -> Body:
    """Give the request's body; fields at None are left out, so that the image's own values hold.

    Args:
        spec: what the container is to be.
        fleet: the fleet's name, for the labels.
        host: the host's name, for the labels.
        generation: the commit it is made from, for the labels.
    """
    from gitops.engine.specification import digests, format_digests  # noqa: PLC0415  # it is there with `spec`

    body: Body = {
        "Image": spec.image,
        "Cmd": _list(spec.command),
        "Entrypoint": _list(spec.entrypoint),
        "Env": [f"{name}={value}" for name, value in spec.environment],
        "User": spec.user,
        "WorkingDir": spec.working_dir,
        "Hostname": spec.hostname,
        "Healthcheck": _health(spec.healthcheck),
        "StopSignal": spec.stop_signal,
        "StopTimeout": max(1, round(spec.stop_grace_period)),
        "ExposedPorts": {f"{port.target}/{port.protocol}": {} for port in spec.ports},
        "Labels": {
            **dict(spec.labels),
            labels.FLEET: fleet,
            labels.HOST: host,
            labels.INSTANCE: spec.instance,
            labels.SERVICE: spec.service,
            labels.IMAGE: spec.image,
            labels.GENERATION: generation,
            labels.SPEC: format_digests(digests(spec)),
            **({labels.RESTART: spec.restart} if spec.restart != UNLESS_STOPPED else {}),
        },
        "HostConfig": _host(spec),
        "NetworkingConfig": {"EndpointsConfig": _first_network(spec)},
    }
    return {key: value for key, value in body.items() if value is not None}


def restart_policy(restart: str) -> Body:
    """Give Compose's `restart` as the engine has it, for a new container and for one that lives."""
    policy, _, retries = restart.partition(":")
    return {"Name": policy, "MaximumRetryCount": int(retries or 0)}


def limits(spec: "ContainerSpec") -> Body:
    """Give what a container may use, as the engine has it; these can change while it lives.

    MemorySwap is what the engine takes by itself for a new container, twice the memory; said aloud because it
    would refuse memory above the swap that is set.
    """
    return {
        "Memory": spec.mem_limit,
        "MemorySwap": None if spec.mem_limit is None else 2 * spec.mem_limit,
        "NanoCpus": None if spec.cpus is None else round(spec.cpus * 1e9),
        "PidsLimit": spec.pids_limit,
    }


def _first_network(spec: "ContainerSpec") -> Body:
    # Engines before API 1.44 take one network at creation; the others are connected before the start.
    return {name: {"Aliases": list(aliases)} for name, aliases in spec.networks[:1]}


def _host(spec: "ContainerSpec") -> Body:
    from gitops.engine.specification import MountSpec  # noqa: PLC0415  # as above

    bindings: dict[str, list[dict[str, str]]] = {}
    for port in spec.ports:
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(
            {"HostIp": port.host_ip, "HostPort": str(port.published or "")}
        )
    secrets = (MountSpec("bind", spec.secrets_place, "/run/secrets", read_only=True),) if spec.secrets else ()
    host: Body = {
        "PortBindings": bindings,
        "Mounts": [_mount(mount) for mount in (*spec.volumes, *secrets)],
        "NetworkMode": spec.networks[0][0] if spec.networks else "none",
        "RestartPolicy": restart_policy(spec.restart),
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.capabilities),
        "SecurityOpt": list(spec.security_opt),
        "Init": spec.init,
        "ReadonlyRootfs": spec.read_only,
        **limits(spec),
        "ShmSize": spec.shm_size,
        "Ulimits": [{"Name": name, "Soft": soft, "Hard": hard} for name, soft, hard in spec.ulimits],
        "ExtraHosts": [f"{name}:{address}" for name, address in spec.extra_hosts],
    }
    if spec.logging:
        host["LogConfig"] = {"Type": spec.logging[0], "Config": dict(spec.logging[1])}
    return {key: value for key, value in host.items() if value is not None}


def _mount(mount: "MountSpec") -> Body:
    body: Body = {"Type": mount.type, "Target": mount.target, "ReadOnly": mount.read_only}
    if mount.source:
        body["Source"] = mount.source
    if mount.size is not None:
        body["TmpfsOptions"] = {"SizeBytes": mount.size}
    return body


def _health(health: "HealthSpec | None") -> Body | None:
    if health is None:
        return None
    return {
        "Test": list(health.test),
        "Interval": health.interval,
        "Timeout": health.timeout,
        "Retries": health.retries,
        "StartPeriod": health.start_period,
    }


def _list(words: tuple[str, ...] | None) -> list[str] | None:
    return None if words is None else list(words)
