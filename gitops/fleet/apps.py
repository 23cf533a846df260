"""What an app's definition may say besides its services: `apps/NAME.yaml`."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gitops.fleet.hosts import Scalar
from gitops.fleet.rollout import Rollout
from gitops.fleet.schedule import Schedule
from gitops.fleet.services import Service
from gitops.fleet.values import (
    AbsolutePath,
    Command,
    Duration,
    Environment,
    Matching,
    Model,
    Name,
    User,
    Variable,
)


class Parameter(Model):
    """A value that each instance of an app gives."""

    type: Literal["string", "integer", "number", "boolean"] = Field(
        default="string", description="What it must be."
    )
    default: Scalar | None = Field(default=None, description="Its value where an instance gives none.")
    description: str = Field(default="", description="What it is for.")


class Database(Model):
    """A database that is dumped through its container."""

    service: Name = Field(description="The service it runs in.")
    kind: Literal["mariadb"] = Field(description="What it is.")
    name: Annotated[str, Matching(r"^[A-Za-z0-9_][A-Za-z0-9_$-]{0,63}$", "the name of a database")] = Field(
        description="Its name there."
    )


class Backup(Model):
    """What of each instance is backed up, and when."""

    schedule: Schedule = Field(default="15 3 * * *", description="When, by the host's clock.")
    databases: tuple[Database, ...] = Field(default=(), description="Databases to dump.")
    volumes: tuple[Name, ...] = Field(default=(), description="Volumes to copy.")


class Job(Model):
    """A command that the host's scheduler runs inside a service of each instance."""

    service: Name = Field(description="The service whose container it runs in.")
    schedule: Schedule = Field(description="When, by the host's clock.")
    command: Command = Field(description="What to run.")
    timeout: Duration = Field(default=3600, gt=0, description="Time after which it is ended.")
    user: User | None = Field(default=None, description="User it runs as; otherwise the service's.")
    environment: Environment = Field(default={}, description="Variables besides the service's.")
    workdir: AbsolutePath | None = Field(
        default=None, description="Directory it starts in; otherwise the service's."
    )


class Parameters(Model):
    """What an app's file says about its parameters; the rest is looked at when they have values."""

    model_config = ConfigDict(extra="ignore")

    parameters: dict[Variable, Parameter] = Field(default={}, description="Values that each instance gives.")


class App(Parameters):
    """How images run together; one instance's view of it, every parameter already filled in."""

    model_config = ConfigDict(extra="forbid")

    services: dict[Name, Service] = Field(min_length=1, description="Its containers.")
    backup: Backup | None = Field(default=None, description="What is backed up, and when.")
    jobs: dict[Name, Job] = Field(default={}, description="Commands that run on a schedule.")
    rollout: Rollout = Field(
        default_factory=Rollout.model_construct, description="How a change reaches its instances."
    )
