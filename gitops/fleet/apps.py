"""What an app's definition may say besides its services: `apps/NAME.yaml`."""

from typing import Literal

from pydantic import ConfigDict, Field

from gitops.fleet.backups import Backup
from gitops.fleet.hosts import Scalar
from gitops.fleet.jobs import Job
from gitops.fleet.rollout import Rollout
from gitops.fleet.services import Service
from gitops.fleet.tests import AppTest
from gitops.fleet.values import Model, Name, Variable


class Parameter(Model):
    """A value that each instance of an app gives."""

    type: Literal["string", "integer", "number", "boolean"] = Field(
        default="string", description="What it must be."
    )
    default: Scalar | None = Field(default=None, description="Its value where an instance gives none.")
    description: str = Field(default="", description="What it is for.")


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
    test: AppTest | None = Field(default=None, description="What `gitops test` tries; `{}`: that it starts.")
