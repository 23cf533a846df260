"""What `fleet.yaml` may say: archives, registry, pipelines, how updates are proposed."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gitops.fleet.values import Line, Model, Name

Architecture = Literal["amd64", "arm64"]

_SUITE = r"^[A-Za-z0-9][A-Za-z0-9.+~/-]*$"


def _suite(value: object) -> object:
    return {"suite": value} if isinstance(value, str) else value


class Suite(Model):
    """One suite of an archive; a plain name means a suite on the archive's own mirror."""

    suite: Annotated[str, Field(pattern=_SUITE)] = Field(description="Its name, as in sources.list(5).")
    mirror: Annotated[str, Field(pattern=r"^(https?|file)://[^\s\[\]\"]+$")] | None = Field(
        default=None, description="Where it is served, when not on the archive's mirror."
    )
    components: tuple[Annotated[str, Field(pattern=_SUITE)], ...] | None = Field(
        default=None, description="Its components, when not the archive's."
    )


class Pin(Model):
    """A preference between versions, as in apt_preferences(5)."""

    package: Line = Field(default="*", description="Package name, glob or `*`.")
    pin: Line = Field(description="What is pinned, for example `release n=trixie-backports`.")
    priority: int = Field(description="Its priority.")


class Archive(Model):
    """A signed Debian archive."""

    mirror: Annotated[str, Field(pattern=r"^(https?|file)://[^\s\[\]\"]+$")] = Field(
        description="Address that holds dists/ and pool/."
    )
    suites: tuple[
        Annotated[Suite, BeforeValidator(_suite, json_schema_input_type=str | dict[str, Any])], ...
    ] = Field(min_length=1, description="Suites, for example [trixie, trixie-updates].")
    components: tuple[Annotated[str, Field(pattern=_SUITE)], ...] = Field(
        default=("main",), description="Components of its suites."
    )
    keyring: Line = Field(
        default="/usr/share/keyrings/debian-archive-keyring.gpg",
        description="OpenPGP keys that sign it: an absolute path, or one inside the fleet.",
    )
    architectures: tuple[Architecture, ...] = Field(
        default=("amd64",), min_length=1, description="What to lock for."
    )
    pins: tuple[Pin, ...] = Field(default=(), description="Preferences between its versions.")


class Updates(Model):
    """How the update bot proposes what is new."""

    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]$")] = Field(
        default="gitops/updates", description="Branch that carries the new locks."
    )


class Settings(Model):
    """The fleet as a whole: `fleet.yaml`."""

    name: Name = Field(description="Name of the fleet; part of every image's and container's name.")
    archives: dict[Name, Archive] = Field(
        min_length=1, description="Debian archives that images are made of."
    )
    registry: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*$")] | None = Field(
        default=None, description="Where images are pushed; none: every host builds its own."
    )
    pipelines: tuple[Literal["github"], ...] = Field(
        default=(), description="CI systems to write pipelines for."
    )
    updates: Updates = Field(default=Updates(), description="How updates are proposed.")
