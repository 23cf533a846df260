"""What a container, a network or a volume is to be, fully resolved; values only, no engine needed."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gitops.engine.labels import UNLESS_STOPPED

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


@dataclass(frozen=True)
class MountSpec:
    """A volume (source is its full name), a directory of the host, or a tmpfs (source is empty).

    Args:
        type: what is mounted.
        source: full volume name or absolute path; "" for a tmpfs and for an anonymous volume.
        target: absolute path in the container.
        read_only: the container cannot write there.
        size: bytes a tmpfs may hold; None for no limit.
    """

    type: Literal["volume", "bind", "tmpfs"]
    source: str
    target: str
    read_only: bool = False
    size: int | None = None


@dataclass(frozen=True)
class PortSpec:
    """A port in the container, and where the host publishes it; `published` None: the engine chooses."""

    target: int
    published: int | None
    host_ip: str
    protocol: str


@dataclass(frozen=True)
class HealthSpec:
    """How the engine tells that a container works.

    Args:
        test: ("NONE",), ("CMD", …) or ("CMD-SHELL", line); empty: the image's own test.
        interval: nanoseconds, as the engine counts; likewise timeout and start_period.
        timeout: nanoseconds.
        retries: failures in a row that make it unhealthy.
        start_period: nanoseconds in which failures do not count.
    """

    test: tuple[str, ...]
    interval: int
    timeout: int
    retries: int
    start_period: int


@dataclass(frozen=True)
class DependencySpec:
    """A service of the same instance, and what must be true of it before this container starts."""

    service: str
    condition: Condition
    required: bool = True
    restart: bool = False


@dataclass(frozen=True)
class SecretSpec:
    """A secret as a file: `digest` is of the encrypted file, never of what is in it; mode is octal."""

    source: str
    target: str
    uid: int
    gid: int
    mode: int
    digest: str


@dataclass(frozen=True)
class ContainerSpec:
    """A container, in the words of the Compose Specification; None and empty mean the image's own."""

    name: str
    instance: str
    service: str
    image: str
    image_name: str
    networks: tuple[tuple[str, tuple[str, ...]], ...]
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    ports: tuple[PortSpec, ...] = ()
    volumes: tuple[MountSpec, ...] = ()
    secrets: tuple[SecretSpec, ...] = ()
    secrets_directory: str = ""
    depends_on: tuple[DependencySpec, ...] = ()
    healthcheck: HealthSpec | None = None
    has_health: bool = False
    restart: str = UNLESS_STOPPED
    user: str | None = None
    working_dir: str | None = None
    hostname: str | None = None
    init: bool = False
    read_only: bool = False
    capabilities: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ("no-new-privileges",)
    mem_limit: int | None = None
    cpus: float | None = None
    pids_limit: int | None = None
    shm_size: int | None = None
    ulimits: tuple[tuple[str, int, int], ...] = ()
    stop_signal: str | None = None
    stop_grace_period: float = 10
    extra_hosts: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    logging: tuple[str, tuple[tuple[str, str], ...]] | None = None

    @property
    def subject(self) -> str:
        """Give the name that people use: INSTANCE/SERVICE."""
        return f"{self.instance}/{self.service}"

    @property
    def secrets_place(self) -> str:
        """Give the directory of just these secrets: with others, the container before may still come back."""
        return f"{self.secrets_directory}.{digests(self)['secrets']}" if self.secrets else ""


@dataclass(frozen=True)
class NetworkSpec:
    """A network of an instance, by its full name; `internal`: it leads nowhere else."""

    name: str
    instance: str
    network: str
    internal: bool = False


@dataclass(frozen=True)
class VolumeSpec:
    """A volume of an instance, by its full name."""

    name: str
    instance: str
    volume: str


# Who it is (its name) and when it starts (its dependencies) are not what it is: they recreate nothing.
_NOT_DIGESTED = {"name", "instance", "service", "image_name", "depends_on", "has_health"}
_DEFAULTS = vars(ContainerSpec("", "", "", "", "", ()))


LIMITS = ("mem_limit", "cpus", "pids_limit")
"""What the engine can change while a container lives."""


def digests(spec: ContainerSpec) -> dict[str, str]:
    """Give 8 hexadecimal digits for each field that is not at its default; what is absent is default."""
    return {
        field: _digest(value)
        for field, value in vars(spec).items()
        if field not in _NOT_DIGESTED and value != _DEFAULTS[field]
    }


# The instances of an app share most of their values, and a value of one type is always written alike.
@lru_cache(maxsize=65536, typed=True)
def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, default=vars).encode()).hexdigest()[:8]


def format_digests(fields: dict[str, str]) -> str:
    """Write digests as a label's value: `environment=1a2b3c4d,image=…`, sorted."""
    return ",".join(f"{field}={digest}" for field, digest in sorted(fields.items()))
