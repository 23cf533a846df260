"""What proves that an image or an app works: commands that end well, and pages that are there."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from gitops.fleet.hosts import Scalar
from gitops.fleet.values import Command, Duration, Matching, Model, Name, Text, User, Variable

_WELL, _OK = 0, 200  # an exit status, and one of HTTP (RFC 9110, 15.3.1)


def _command(value: object) -> object:
    return {"command": value} if isinstance(value, str | list) else value


class CommandTest(Model):
    """A command that is run in a new container of an image, without network, and how it must end."""

    command: Command = Field(description="What is run, instead of the image's own program.")
    status: int = Field(default=_WELL, ge=0, le=255, description="The exit status that is right.")
    text: str | None = Field(default=None, min_length=1, description="What its output must contain.")
    user: User | None = Field(default=None, description="Whom it runs as; otherwise the image's user.")
    timeout: Duration = Field(default=60, gt=0, description="Time after which it has failed.")


ImageTest = Annotated[
    CommandTest, BeforeValidator(_command, json_schema_input_type=str | list[str] | CommandTest)
]
"""A command alone, or with what it must lead to."""


class Check(Model):
    """A question to a started instance of an app: a command in a service's container, or a page of it."""

    service: Name = Field(description="The service that is asked.")
    command: Command | None = Field(default=None, description="What is run in its container.")
    user: User | None = Field(default=None, description="Whom the command runs as.")
    http: Annotated[str, Matching(r"^/[!-~]*$", "a path, for example /login?lang=en")] | None = Field(
        default=None,
        description="Path of a page; asked for over HTTP in its container, redirects not followed.",
    )
    port: int = Field(default=80, ge=1, le=65535, description="The container's port that answers.")
    host: Annotated[str, Matching(r"^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$", "a host name")] | None = Field(
        default=None, description="The name that it is asked by; otherwise the service's."
    )
    status: int | None = Field(
        default=None, ge=0, le=599, description="What is right: an exit status, none given 0; of HTTP, 200."
    )
    text: str | None = Field(default=None, min_length=1, description="What the output or page must contain.")
    timeout: Duration = Field(
        default=60, gt=0, description="Time after which it has failed; a page may take it to come up, too."
    )

    @property
    def right(self) -> int:
        """The status that is right."""
        return self.status if self.status is not None else _OK if self.http else _WELL

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.command is None) is (self.http is None):
            raise ValueError("write `command` or `http`, one of them")
        given = self.model_fields_set & ({"user"} if self.http else {"port", "host"})
        if given:
            raise ValueError(f"`{min(given)}` says nothing of {'a page' if self.http else 'a command'}")
        return self


class AppTest(Model):
    """How an app is tried: an instance of it, alone in its networks, must be well and answer."""

    parameters: dict[Variable, Scalar] = Field(
        default={}, description="Values for the app's parameters; otherwise their defaults."
    )
    secrets: dict[Name, Text] = Field(
        default={},
        description="Values for its secrets, not secret ones; otherwise made up. Never the real ones.",
    )
    checks: tuple[Check, ...] = Field(
        default=(), description="What it is asked once every service is well, in order."
    )
