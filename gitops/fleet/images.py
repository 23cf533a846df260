"""What an image's definition may say: `images/NAME.yaml`."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gitops.fleet.tests import ImageTest
from gitops.fleet.values import (
    AbsolutePath,
    Command,
    Duration,
    Environment,
    Labels,
    Line,
    Matching,
    Model,
    Name,
    Package,
    RelativePath,
    Signal,
    User,
)


def _test(value: object) -> object:
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def _port(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _kind(test: tuple[str, ...]) -> tuple[str, ...]:
    """Give a test its first word, which Compose demands and people forget."""
    return test if test[0] in {"NONE", "CMD", "CMD-SHELL"} else ("CMD", *test)


class Healthcheck(Model):
    """How to tell that a container works; keys and defaults of the Compose Specification."""

    test: Annotated[
        tuple[str, ...],
        BeforeValidator(_test, json_schema_input_type=str | list[str]),
        Field(min_length=1),
        AfterValidator(_kind),
    ] = Field(default=("NONE",), description="Command that succeeds while the service works.")
    interval: Duration = Field(default=30, description="Time between two checks.")
    timeout: Duration = Field(default=30, description="Time after which a check has failed.")
    retries: int = Field(default=3, ge=1, description="Failures in a row that make it unhealthy.")
    start_period: Duration = Field(
        default=0, description="Time to start in, during which failures do not count."
    )
    disable: bool = Field(default=False, description="True: no check, not even the image's own.")


class Copy(Model):
    """A file or directory that goes from the fleet into the image."""

    source: RelativePath = Field(description="Path below images/NAME/.")
    target: AbsolutePath = Field(description="Where it goes in the image.")
    mode: (
        Annotated[str, Matching(r"^0?[0-7]{3,4}$", 'octal permissions in quotes, for example "0755"')] | None
    ) = Field(
        default=None,
        description="Octal permissions, as for chmod; otherwise 644, or 755 if git has it as executable.",
    )
    owner: User = Field(default="root:root", description="Owner and group, as for chown.")


class Image(Model):
    """An image: a base built from scratch, or packages and files on top of another image."""

    parent: Name = Field(alias="from", description="The image below this one; `scratch` for a base.")
    archive: Name | None = Field(default=None, description="The one archive of a base; short for `archives`.")
    archives: tuple[Name, ...] = Field(
        default=(), description="Archives its packages come from, besides those of its parent."
    )
    packages: tuple[Package, ...] = Field(default=(), description="Debian packages to install.")
    recommends: bool = Field(
        default=False, description="True: install recommended packages too, as apt does."
    )
    debconf: tuple[Line, ...] = Field(
        default=(), description="Answers for debconf, a line each as in debconf-set-selections(1)."
    )
    copies: tuple[Copy, ...] = Field(default=(), alias="copy", description="Files from the fleet.")
    run: tuple[Command, ...] = Field(
        default=(), description="Commands run in the image after packages and files; without network."
    )
    allow: tuple[Literal["network"], ...] = Field(
        default=(),
        description="What `run` may do that would make the image depend on more than git and Debian.",
    )
    environment: Environment = Field(default={}, description="Variables of its processes.")
    user: User | None = Field(default=None, description="User its processes run as.")
    workdir: AbsolutePath | None = Field(default=None, description="Directory its processes start in.")
    entrypoint: Command | None = Field(
        default=None, description="Program that is started; as in a Dockerfile."
    )
    command: Command | None = Field(
        default=None, description="Its arguments, or the program; as in a Dockerfile."
    )
    expose: tuple[
        Annotated[
            str,
            Matching(r"^[1-9]\d{0,4}(/(tcp|udp|sctp))?$", "a port, for example 80 or 53/udp"),
            BeforeValidator(_port, json_schema_input_type=int | str),
        ],
        ...,
    ] = Field(default=(), description="Ports its processes listen on.")
    volumes: tuple[AbsolutePath, ...] = Field(default=(), description="Directories that hold data.")
    healthcheck: Healthcheck | None = Field(default=None, description="How to tell that it works.")
    stop_signal: Signal | None = Field(default=None, description="Signal that asks it to stop.")
    labels: Labels = Field(default={}, description="Labels of the image.")
    test: tuple[ImageTest, ...] = Field(
        default=(), description="Commands that must succeed in it; `gitops test` runs them."
    )

    @property
    def is_base(self) -> bool:
        """Tell whether it is built from scratch."""
        return self.parent == "scratch"

    @property
    def own_archives(self) -> tuple[str, ...]:
        """Give the archives it names itself, in order."""
        return (*((self.archive,) if self.archive else ()), *self.archives)

    @model_validator(mode="after")
    def _base_has_an_archive(self) -> Self:
        if self.is_base and not self.own_archives:
            raise ValueError("an image from scratch needs `archive`, the archive its packages come from")
        return self
