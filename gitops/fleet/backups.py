"""What is backed up: an app's `backup`, and where it goes: a host's `backup`."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gitops.fleet.schedule import Schedule
from gitops.fleet.values import Command, Duration, Line, Matching, Model, Name, Size, Variable

Kind = Literal["mariadb", "postgresql", "redis", "sqlite"]

_SERVERS = ("mariadb", "postgresql")


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Database(Model):
    """A database that is dumped through its container, with the container's own tools."""

    service: Name = Field(description="The service it runs in.")
    kind: Kind = Field(description="What it is.")
    name: (
        Annotated[
            str,
            Matching(
                r"^([A-Za-z0-9_][A-Za-z0-9_$-]{0,62}|/[A-Za-z0-9_.@+/-]{1,200})$",
                "the name of a database, or SQLite's file as an absolute path",
            ),
        ]
        | None
    ) = Field(default=None, description="Its name there; SQLite: its file; Redis has none.")
    all: bool = Field(
        default=False, description="Every database of the server, with its roles, each a dataset of its own."
    )
    user: Annotated[str, Matching(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$", "a database user")] | None = Field(
        default=None, description="Whom to connect as; otherwise the server's own superuser over its socket."
    )
    password: Name | None = Field(
        default=None, description="Which of the service's secrets holds that user's password."
    )

    @model_validator(mode="after")
    def _one_or_all(self) -> Self:
        if self.kind in _SERVERS and (self.name is None) is not self.all:
            raise ValueError(f"{self.kind} takes `name`, or `all: true`")
        if self.kind == "sqlite" and (self.all or self.name is None or not self.name.startswith("/")):
            raise ValueError("sqlite takes `name`: the absolute path of its file in the container")
        if self.kind == "redis" and (self.all or self.name is not None):
            raise ValueError("redis is dumped as a whole; it takes neither `name` nor `all`")
        if self.kind != "sqlite" and self.name and "/" in self.name:
            raise ValueError(f"{self.name!r} is not the name of a database")
        return self


class VolumeCopy(Model):
    """A volume that is copied from the host."""

    name: Name = Field(description="The volume.")
    method: Literal["live", "pause", "stop"] = Field(
        default="live",
        description="`live`: while it is used; `pause`, `stop`: its services stand still meanwhile.",
    )


class Verification(Model):
    """A question that a restored instance must answer well in a drill: a command, or a query."""

    service: Name = Field(description="The service that is asked.")
    command: Command | None = Field(default=None, description="What is run in its container.")
    query: Line | None = Field(default=None, description="What its database is asked, in its own language.")
    database: Line | None = Field(
        default=None, description="Which of the service's databases is asked, where it has several."
    )
    expect: str | None = Field(
        default=None, description="What the answer must be, apart from white space around it."
    )

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.command is None) is (self.query is None):
            raise ValueError("write `command` or `query`, one of them")
        if self.query is not None and self.expect is None:
            raise ValueError("a query needs `expect`: the answer that is right")
        return self


class Keep(Model):
    """How many backups stay: the newest of each of so many hours, days…, as restic's `forget` has it."""

    last: int = Field(default=0, ge=0, description="The newest, whatever their age.")
    hourly: int = Field(default=0, ge=0, description="Hours that keep one.")
    daily: int = Field(default=7, ge=0, description="Days that keep one.")
    weekly: int = Field(default=4, ge=0, description="Weeks that keep one.")
    monthly: int = Field(default=6, ge=0, description="Months that keep one.")
    yearly: int = Field(default=0, ge=0, description="Years that keep one.")


class Backup(Model):
    """What of each instance is backed up, and when."""

    schedule: Schedule = Field(default="15 3 * * *", description="When, by the host's clock.")
    databases: tuple[Database, ...] = Field(default=(), description="Databases to dump.")
    volumes: tuple[
        Annotated[VolumeCopy, BeforeValidator(_named, json_schema_input_type=str | VolumeCopy)], ...
    ] = Field(default=(), description="Volumes to copy; a plain name is copied live.")
    keep: Keep | None = Field(default=None, description="How many backups stay; otherwise the host's `keep`.")
    verify: tuple[Verification, ...] = Field(
        default=(), description="Questions that a restored instance must answer in a drill."
    )
    drill: Schedule | None = Field(
        default=None,
        description="When the newest backup is restored into a throw-away instance, to prove it.",
    )
    timeout: Duration = Field(
        default=6 * 3600, gt=0, description="Time after which the dump of one database counts as failed."
    )


class Limits(Model):
    """How much of the host and its line backups may take."""

    upload: Size | None = Field(default=None, gt=0, description="Bytes a second, sent.")
    download: Size | None = Field(default=None, gt=0, description="Bytes a second, received.")
    cpus: int | None = Field(default=None, ge=1, description="Processors that restic works on.")
    nice: int = Field(default=10, ge=0, le=19, description="How much it steps back behind others; nice(1).")


class Care(Model):
    """When a repository is checked, and how much of it."""

    schedule: Schedule = Field(default="30 5 * * 0", description="When.")
    share: Annotated[int, Field(ge=0, le=100)] = Field(
        default=5, description="Percent of its data that are read each time; another part each time."
    )


class Repository(Model):
    """Where a host's backups go."""

    repository: Line = Field(
        min_length=1, description="A restic repository: a directory, or sftp:, rest:, s3:…"
    )
    password: Name | None = Field(
        default=None,
        description="The secret that is its password; otherwise the host's own file restic-password.",
    )
    environment: dict[Variable, Name] = Field(
        default={},
        description="Variables that restic needs there, AWS_SECRET_ACCESS_KEY say, and their secrets.",
    )
    keep: Keep = Field(default_factory=Keep.model_construct, description="How many backups stay.")
    limits: Limits = Field(default_factory=Limits.model_construct, description="What backups may take.")
    prune: Schedule = Field(
        default="30 4 * * *", description="When space that no backup needs is given back."
    )
    check: Care = Field(default_factory=Care.model_construct, description="When it is checked.")

    @property
    def secrets(self) -> set[str]:
        """The secrets that open it."""
        return {*self.environment.values(), *([self.password] if self.password else [])}
