"""What `fleet.yaml` may say: archives, registry, pipelines; how updates are proposed is in updates.py."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gitops.fleet.notifications import Notifications
from gitops.fleet.updates import Updates
from gitops.fleet.values import AgeRecipient, Line, Matching, Model, Name

Architecture = Literal["amd64", "arm64"]

SuiteName = Annotated[
    str, Matching(r"^[A-Za-z0-9][A-Za-z0-9.+~/-]*$", "a suite or component as in sources.list(5)")
]
Mirror = Annotated[
    str,
    Matching(r'^(https?|file)://[^\s\[\]"]+$', "an address that begins with http://, https:// or file://"),
]


def _suite(value: object) -> object:
    return {"suite": value} if isinstance(value, str) else value


class Suite(Model):
    """One suite of an archive; a plain name means a suite on the archive's own mirror."""

    suite: SuiteName = Field(description="Its name, as in sources.list(5).")
    mirror: Mirror | None = Field(
        default=None, description="Where it is served, when not on the archive's mirror."
    )
    components: tuple[SuiteName, ...] | None = Field(
        default=None, description="Its components, when not the archive's."
    )


class Pin(Model):
    """A preference between versions, as in apt_preferences(5)."""

    package: Line = Field(default="*", description="Package name, glob or `*`.")
    pin: Line = Field(description="What is pinned, for example `release n=trixie-backports`.")
    priority: int = Field(description="Its priority.")


class Archive(Model):
    """A signed Debian archive."""

    mirror: Mirror = Field(description="Address that holds dists/ and pool/.")
    suites: tuple[Annotated[Suite, BeforeValidator(_suite, json_schema_input_type=str | Suite)], ...] = Field(
        min_length=1, description="Suites, for example [trixie, trixie-updates]."
    )
    components: tuple[SuiteName, ...] = Field(default=("main",), description="Components of its suites.")
    keyring: Line = Field(
        default="/usr/share/keyrings/debian-archive-keyring.gpg",
        description="OpenPGP keys that sign it: an absolute path, or one inside the fleet.",
    )
    architectures: tuple[Architecture, ...] = Field(
        default=("amd64",), min_length=1, description="What to lock for."
    )
    pins: tuple[Pin, ...] = Field(default=(), description="Preferences between its versions.")


class Settings(Model):
    """The fleet as a whole: `fleet.yaml`."""

    name: Name = Field(description="Name of the fleet; part of every image's and container's name.")
    archives: dict[Name, Archive] = Field(
        min_length=1, description="Debian archives that images are made of."
    )
    registry: (
        Annotated[
            str,
            Matching(r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*$", "a registry, as HOST[:PORT][/PATH]"),
        ]
        | None
    ) = Field(default=None, description="Where images are pushed; none: every host builds its own.")
    pipelines: tuple[Literal["github", "gitlab", "forgejo", "gitea", "woodpecker"], ...] = Field(
        default=(), description="CI systems to write pipelines for."
    )
    administrators: dict[Name, AgeRecipient] = Field(
        default={}, description="People's age recipients: they can read, edit and rekey every secret."
    )
    updates: Updates = Field(default_factory=Updates.model_construct, description="How updates are proposed.")
    notifications: Notifications = Field(
        default_factory=Notifications.model_construct, description="Who hears of failures and recoveries."
    )
