"""What a host's definition may say: `hosts/NAME.yaml`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gitops.fleet.backups import Repository
from gitops.fleet.settings import Architecture
from gitops.fleet.updates import Bot, Branch
from gitops.fleet.values import AgeRecipient, Line, Model, Name

AT_ONCE = 8
"""How many instances of a host are changed side by side; the next one begins when one of them is done."""


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise ValueError("must be a text, a number, true or false")  # noqa: TRY004 - pydantic wants a ValueError
    return value


Scalar = Annotated[str | int | float | bool, BeforeValidator(_scalar)]


class Report(Model):
    """Where a host says what it runs, for plans made elsewhere."""

    branch: Branch = Field(
        default="gitops/reports",
        description="The host pushes to BRANCH/NAME; its deploy key must be allowed to.",
    )
    key: Line | None = Field(
        default=None,
        description="The host's ssh key, as in deploy.key.pub, that must have signed its reports.",
    )


class Placement(Model):
    """One instance: which app, with which parameters."""

    app: Name = Field(description="The app it is a copy of.")
    parameters: dict[str, Scalar] = Field(default={}, description="Values for the app's parameters.")


class Host(Model):
    """A machine with a container engine, and the instances placed on it."""

    architecture: Architecture = Field(default="amd64", description="What the machine is, in Debian's words.")
    scheduler: Literal["cron", "systemd"] = Field(default="cron", description="Who runs jobs and backups.")
    age: AgeRecipient | None = Field(
        default=None, description="The host's age recipient; secrets are encrypted for it."
    )
    backup: Repository | None = Field(default=None, description="Where backups of its instances go.")
    report: Report | None = Field(default=None, description="Whether and where the host says what it runs.")
    updates: Bot | None = Field(
        default=None, description="When the host looks for updates; otherwise somebody else does."
    )
    instances: dict[Name, Placement] = Field(default={}, description="What runs here.")
