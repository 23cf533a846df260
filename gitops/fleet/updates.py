"""What `fleet.yaml` may say under `updates`: what is proposed, how it is cut up, where, what stays."""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gitops.fleet.schedule import Schedule, Timezone
from gitops.fleet.values import Line, Matching, Model, Name


def _window(value: str) -> str:
    if value.startswith("@"):
        raise ValueError(
            f"{value!r} is one minute; write five fields that say which minutes, as `* 1-5 * * *`"
        )
    return value


Branch = Annotated[str, Matching(r"^[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]$", "the name of a branch")]
Glob = Annotated[
    str, Matching(r"^[a-z0-9*?\[][a-z0-9+.*?\[\]-]*$", "the name of a Debian package, or a glob of it")
]


class Choice(Model):
    """Packages, by one of three names; exactly one is given."""

    package: Glob | None = Field(default=None, description="Binary package: a name, or a glob as apt has it.")
    source: Glob | None = Field(default=None, description="Source package, and all that is built from it.")
    reason: Line = Field(description="Why; every report repeats it.")
    until: date | None = Field(
        default=None,
        description="Last day (UTC) on which it counts, as 2027-03-31; none: until it is removed.",
    )

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if len([name for name in self._names() if name is not None]) != 1:
            raise ValueError(f"write exactly one of {', '.join(self._kinds)}")
        return self

    _kinds: ClassVar[tuple[str, ...]] = ("package", "source")

    def _names(self) -> tuple[str | None, ...]:
        return tuple(getattr(self, kind) for kind in self._kinds)


class Hold(Choice):
    """Packages that stay at the version they are locked to, as `apt-mark hold` keeps them."""

    _kinds: ClassVar[tuple[str, ...]] = ("package", "source", "image")

    image: Name | None = Field(default=None, description="Image whose own packages stay.")


class Ignore(Choice):
    """One version that is not proposed; the next one is."""

    version: Annotated[str, Matching(r"^[A-Za-z0-9.+:~-]+$", "a Debian version")] = Field(
        description="The version that is passed over."
    )


class Forge(Model):
    """Where pull requests are opened."""

    kind: Literal["github", "gitlab", "forgejo", "gitea", "none"] = Field(
        default="none", description="What runs there; `none`: a plain git server, which gets branches alone."
    )
    address: (
        Annotated[str, Matching(r"^https?://[^\s@?#]+$", "an address that begins with https:// or http://")]
        | None
    ) = Field(default=None, description="Its address; otherwise https:// and the remote's host.")
    project: (
        Annotated[str, Matching(r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$", "a project, as OWNER/NAME")] | None
    ) = Field(default=None, description="The project, as OWNER/NAME; otherwise the remote's path.")


class Bot(Model):
    """When a host looks for updates of the fleet, and what becomes of those that it finds."""

    schedule: Schedule = Field(description="When, by the host's clock.")
    propose: Literal["pull-request", "branch", "nothing"] = Field(
        default="pull-request",
        description="`branch`: push branches, and open nothing; `nothing`: the job fails while there is "
        "something newer, so that whoever hears of failed jobs hears of it.",
    )
    token: Name | None = Field(
        default=None,
        description="The secret that is the forge's token; otherwise the host's own file forge-token.",
    )


class Updates(Model):
    """How the update bot proposes what is new."""

    branch: Branch = Field(
        default="gitops/updates",
        description="Branch that carries the new locks; those of a group add a hyphen and the group's name.",
    )
    group: Literal["all", "archive", "source", "image"] = Field(
        default="all",
        description="What shares a pull request: all, or what is of one archive, source package or image.",
    )
    security: Literal["together", "apart"] = Field(
        default="together",
        description="`apart`: what comes from a security suite has pull requests of its own.",
    )
    hold: tuple[Hold, ...] = Field(default=(), description="What stays as it is.")
    ignore: tuple[Ignore, ...] = Field(default=(), description="Versions that are passed over.")
    schedule: Annotated[Schedule, AfterValidator(_window)] | None = Field(
        default=None,
        description="Minutes in which something may be proposed, as five crontab(5) fields: `* 1-5 * * 1-5`. "
        "Security updates that are apart do not wait.",
    )
    timezone: Timezone = Field(default="UTC", description="Time zone of the schedule.")
    limit: int = Field(default=10, ge=1, description="How many pull requests may be open at once.")
    labels: tuple[Line, ...] = Field(default=(), description="Labels of a new pull request.")
    reviewers: tuple[Line, ...] = Field(
        default=(), description="People of the forge who are asked to review it, by their user name."
    )
    automerge: Literal["none", "security", "all"] = Field(
        default="none", description="What is merged without a person, once its pipeline has passed."
    )
    committer: Annotated[str, Matching(r"^[^<>\x00-\x1f\x7f]+ <[^<>\s]+>$", "NAME <ADDRESS>")] = Field(
        default="gitops <gitops@localhost>", description="Who commits proposals, as `Name <address>`."
    )
    remote: Annotated[str, Matching(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "the name of a git remote")] = Field(
        default="origin", description="Git remote that pull requests go to."
    )
    base: Branch | None = Field(
        default=None, description="Branch of the remote that is updated; otherwise the remote's own default."
    )
    forge: Forge = Field(default_factory=Forge.model_construct, description="What takes pull requests.")

    @model_validator(mode="after")
    def _security_is_told_apart(self) -> Self:
        if self.automerge == "security" and self.security != "apart":
            raise ValueError(
                "automerge: security needs security: apart, so that nothing else is merged with it"
            )
        return self
