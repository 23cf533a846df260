"""A service of an app: the run half of the Compose Specification, its keys and its short and long forms."""

import re
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gitops.fleet.images import Healthcheck
from gitops.fleet.values import (
    AbsolutePath,
    Command,
    Duration,
    Environment,
    Labels,
    Matching,
    Model,
    Name,
    Signal,
    Size,
    Text,
    User,
)

_PORT = re.compile(
    r"(?:(?:(?P<host_ip>\[[0-9a-fA-F:.]+\]|[0-9.]+):)?(?P<published>\d+(?:-\d+)?)?:)?"
    r"(?P<target>\d+(?:-\d+)?)(?:/(?P<protocol>tcp|udp|sctp))?"
)
_LAST_PORT = 65535
_MOUNT_PARTS = 3  # source, target, options

Capability = Annotated[str, Matching(r"^[A-Z][A-Z_]*$", "a capability without CAP_, for example SYS_TIME")]


def _port(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"target": value}
    if not isinstance(value, str):
        return value
    match = _PORT.fullmatch(value)
    if not match:
        raise ValueError(f"{value!r} is not a port; write for example 8080:80 or 127.0.0.1:8080:80/tcp")
    parts = {key: part for key, part in match.groupdict().items() if part}
    if "host_ip" in parts:
        parts["host_ip"] = parts["host_ip"].strip("[]")
    return parts


def _range(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _address(value: str) -> str:
    if value:
        ip_address(value)
    return value


PortRange = Annotated[
    str,
    Matching(r"^\d{1,5}(-\d{1,5})?$", "a port or a range of ports, for example 8000-8009"),
    BeforeValidator(_range, json_schema_input_type=int | str),
]


class Port(Model):
    """A port of the container, published on the host or not."""

    target: PortRange = Field(description="Port in the container, or a range.")
    published: PortRange | None = Field(
        default=None, description="Port on the host; none: the engine chooses."
    )
    host_ip: Annotated[str, AfterValidator(_address)] = Field(
        default="", description="Address on the host; none: all of them."
    )
    protocol: Literal["tcp", "udp", "sctp"] = Field(default="tcp", description="Its protocol.")

    @model_validator(mode="after")
    def _ranges_match(self) -> Self:
        ports = _ports(self.target)
        if self.published is not None and len(_ports(self.published)) != len(ports):
            raise ValueError(f"{self.published} and {self.target} are ranges of different lengths")
        return self

    def pairs(self) -> list[tuple[int | None, int]]:
        """Give each (port on the host, port in the container); the first is None where the engine chooses."""
        targets = _ports(self.target)
        published = [None] * len(targets) if self.published is None else _ports(self.published)
        return list(zip(published, targets, strict=True))


def _ports(text: str) -> list[int]:
    first, _, last = text.partition("-")
    ports = list(range(int(first), int(last or first) + 1))
    if not ports or ports[0] < 1 or ports[-1] > _LAST_PORT:
        raise ValueError(f"{text} is not a port or a range of ports from 1 to {_LAST_PORT}")
    return ports


def _mount(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    if len(parts) > _MOUNT_PARTS:
        raise ValueError(f"{value!r} is not a volume; write NAME:/path, NAME:/path:ro or /host/path:/path")
    options = set(parts[2].split(",")) if len(parts) == _MOUNT_PARTS else set()
    if options - {"ro", "rw", "z", "Z", "nocopy"}:
        raise ValueError(f"{parts[2]!r}: a volume's options are ro, rw and nocopy")
    if parts[0].startswith((".", "~")):
        raise ValueError(
            f"{parts[0]!r} is relative to a directory that a host does not have; write an absolute path"
        )
    return {
        "type": "bind" if parts[0].startswith("/") else "volume",
        "source": parts[0],
        "target": parts[1],
        "read_only": "ro" in options,
    }


class Mount(Model):
    """A volume, a directory of the host, or a tmpfs, and where the container sees it."""

    type: Literal["volume", "bind", "tmpfs"] = Field(default="volume", description="What is mounted.")
    source: str | None = Field(default=None, description="A volume's name, or an absolute path on the host.")
    target: AbsolutePath = Field(description="Where the container sees it.")
    read_only: bool = Field(default=False, description="True: the container cannot write there.")
    size: Size | None = Field(default=None, description="For tmpfs: how large it may grow.")

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        source = self.source or ""
        if self.type == "volume" and source and not re.fullmatch(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", source):
            raise ValueError(f"{source!r} is not a volume's name: lower-case letters, digits, hyphens")
        if self.type == "bind" and (not source.startswith("/") or ".." in source.split("/")):
            raise ValueError(f"{source!r} is not an absolute path on the host")
        return self


def _dependencies(value: object) -> object:
    return (
        {name: {} for name in value}
        if isinstance(value, list) and all(isinstance(n, str) for n in value)
        else value
    )


class Dependency(Model):
    """What must be true of another service before this one starts."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] | None = Field(
        default=None, description="None: healthy where that service has a healthcheck, otherwise started."
    )
    restart: bool = Field(default=False, description="True: restart with it.")
    required: bool = Field(default=True, description="False: start without it if need be.")


def _ulimit(value: object) -> object:
    return {"soft": value, "hard": value} if isinstance(value, int) else value


class Ulimit(Model):
    """A limit of setrlimit(2)."""

    soft: int = Field(ge=-1, description="What processes get.")
    hard: int = Field(ge=-1, description="What they may raise it to.")


class Logging(Model):
    """Where the engine writes what the container prints."""

    driver: Annotated[str, Matching(r"^[a-z0-9-]+$", "the name of a log driver")] = Field(
        default="json-file", description="Log driver."
    )
    options: dict[str, Text] = Field(default={}, description="Its options.")


def _mode(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise ValueError('must be octal permissions in quotes, for example "0440"')
    return int(value, 8)


Number = Annotated[
    str,
    Matching(r"^\d+$", "the number of a user or group"),
    BeforeValidator(_range, json_schema_input_type=int | str),
]


def _secret(value: object) -> object:
    return {"source": value} if isinstance(value, str) else value


class SecretUse(Model):
    """A secret that the service sees as a file."""

    source: Name = Field(description="The secret: secrets/NAME.age.")
    target: Annotated[str, Matching(r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", "the name of a file")] | None = Field(
        default=None, description="File below /run/secrets; otherwise its name."
    )
    uid: Number = Field(default="0", description="Its owner.")
    gid: Number = Field(default="0", description="Its group.")
    mode: Annotated[int, BeforeValidator(_mode, json_schema_input_type=str)] = Field(
        default=0o400, description='Octal permissions, as a string: "0440".'
    )


def _hosts(value: object) -> object:
    if not isinstance(value, list):
        return value
    hosts: dict[str, str] = {}
    for item in value:
        name, mark, address = re.sub("=", ":", str(item), count=1).partition(":")
        if not mark:
            raise ValueError(f"{item!r} is not NAME:ADDRESS")
        hosts[name] = address
    return hosts


def _networks(value: object) -> object:
    if isinstance(value, dict):
        return {name: options or {} for name, options in value.items()}
    return (
        {name: {} for name in value}
        if isinstance(value, list) and all(isinstance(n, str) for n in value)
        else value
    )


class NetworkUse(Model):
    """A network of the instance that the service is on."""

    aliases: tuple[Name, ...] = Field(default=(), description="Other names it has there.")


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Service(Model):
    """A container of an app."""

    image: Name = Field(description="The image, one of this fleet's.")
    command: Command | None = Field(default=None, description="Replaces the image's command.")
    entrypoint: Command | None = Field(default=None, description="Replaces the image's entrypoint.")
    environment: Environment = Field(default={}, description="Variables besides the image's.")
    ports: tuple[Annotated[Port, BeforeValidator(_port, json_schema_input_type=int | str | Port)], ...] = (
        Field(default=(), description="Ports published on the host.")
    )
    volumes: tuple[Annotated[Mount, BeforeValidator(_mount, json_schema_input_type=str | Mount)], ...] = (
        Field(default=(), description="Volumes and directories it sees.")
    )
    tmpfs: Annotated[
        tuple[AbsolutePath, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])
    ] = Field(default=(), description="Directories in memory.")
    secrets: tuple[
        Annotated[SecretUse, BeforeValidator(_secret, json_schema_input_type=str | SecretUse)], ...
    ] = Field(default=(), description="Secrets it sees as files below /run/secrets.")
    networks: Annotated[
        dict[Name, NetworkUse],
        BeforeValidator(_networks, json_schema_input_type=list[str] | dict[str, NetworkUse | None]),
    ] = Field(default={}, description="Networks of the instance; none named: `default`.")
    depends_on: Annotated[
        dict[Name, Dependency],
        BeforeValidator(_dependencies, json_schema_input_type=list[str] | dict[str, Dependency]),
    ] = Field(default={}, description="Services that start before it.")
    healthcheck: Healthcheck | None = Field(default=None, description="Replaces the image's.")
    restart: Annotated[
        str,
        Matching(
            r"^(no|always|unless-stopped|on-failure(:\d+)?)$",
            "no, always, unless-stopped or on-failure[:TIMES]",
        ),
    ] = Field(default="unless-stopped", description="When the engine starts it again.")
    user: User | None = Field(default=None, description="Replaces the image's user.")
    working_dir: AbsolutePath | None = Field(default=None, description="Replaces the image's directory.")
    hostname: (
        Annotated[str, Matching(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$", "a host name")] | None
    ) = Field(default=None, description="Its host name; otherwise the engine's choice.")
    init: bool = Field(default=False, description="True: a small init is process 1.")
    read_only: bool = Field(default=False, description="True: its root file system cannot be written.")
    cap_add: tuple[Capability, ...] = Field(
        default=(), description="Capabilities besides those that Debian's daemons need."
    )
    cap_drop: tuple[Capability, ...] = Field(default=(), description="Capabilities to take away.")
    security_opt: tuple[str, ...] = Field(
        default=(), description="Security options besides no-new-privileges."
    )
    mem_limit: Size | None = Field(default=None, description="Memory it may use.")
    cpus: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Processors it may use."
    )
    pids_limit: Annotated[int, Field(ge=-1)] | None = Field(
        default=None, description="Processes it may have."
    )
    shm_size: Size | None = Field(default=None, description="Size of /dev/shm.")
    ulimits: dict[
        Annotated[str, Matching(r"^[a-z]+$", "a limit, for example nofile")],
        Annotated[Ulimit, BeforeValidator(_ulimit, json_schema_input_type=int | Ulimit)],
    ] = Field(default={}, description="Limits of setrlimit(2).")
    stop_signal: Signal | None = Field(default=None, description="Signal that asks it to stop.")
    stop_grace_period: Duration = Field(default=10, description="Time it has to stop.")
    extra_hosts: Annotated[
        dict[str, str], BeforeValidator(_hosts, json_schema_input_type=dict[str, str] | list[str])
    ] = Field(default={}, description="Names added to /etc/hosts.")
    labels: Labels = Field(default={}, description="Labels of the container, besides gitops's own.")
    logging: Logging | None = Field(
        default=None, description="Where its output goes; otherwise the engine's choice."
    )
