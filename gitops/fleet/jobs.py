"""A command that the host's scheduler runs in every instance: an app's `jobs`."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gitops.fleet.crontab import Crontab, crontab
from gitops.fleet.schedule import Schedule, Timezone
from gitops.fleet.values import AbsolutePath, Command, Duration, Environment, Model, Name, User

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def _period(value: float) -> float:
    """Take a period that five fields can say exactly: one that divides an hour or, in hours, a day."""
    if value < _MINUTE or value % _MINUTE or (_HOUR % value and (value % _HOUR or _DAY % value)):
        raise ValueError(
            "a period divides an hour or, in whole hours, a day: 1m, 5m, 10m, 15m, 30m, 1h, 2h … 12h, 24h"
        )
    return value


def _fields(period: float) -> str:
    if period < _HOUR:
        return f"*/{period / _MINUTE:.0f} * * * *" if period > _MINUTE else "* * * * *"
    return f"0 */{period / _HOUR:.0f} * * *" if period < _DAY else "0 0 * * *"


class Job(Model):
    """A command that the host's scheduler runs inside a service of each instance."""

    service: Name = Field(description="The service whose container it runs in.")
    schedule: Schedule | None = Field(default=None, description="When, as in crontab(5).")
    every: Annotated[Duration, AfterValidator(_period)] | None = Field(
        default=None,
        description="Instead of `schedule`: a period that divides an hour or a day, 15m say, from midnight.",
    )
    timezone: Timezone | None = Field(
        default=None, description="The time zone that `schedule` is meant in; otherwise the host's."
    )
    command: Command = Field(description="What to run.")
    user: User | None = Field(default=None, description="User it runs as; otherwise the service's.")
    environment: Environment = Field(default={}, description="Variables besides the service's.")
    workdir: AbsolutePath | None = Field(
        default=None, description="Directory it starts in; otherwise the service's."
    )
    timeout: Duration = Field(default=3600, gt=0, description="Time after which it is ended.")
    grace: Duration = Field(default=10, ge=0, description="Time between the signals TERM and KILL.")
    overlap: Literal["skip", "queue", "kill"] = Field(
        default="skip",
        description="What happens when the one before still runs: skip this, wait, or end that.",
    )
    retries: int = Field(default=0, ge=0, le=10, description="How often it is tried again when it fails.")
    catch_up: Literal["none", "once"] = Field(
        default="none", description="Whether a run that was missed while the host was down is made up for."
    )
    spread: Duration = Field(
        default=0,
        ge=0,
        description="Moves each instance's runs later by a part of this, always the same, so that not all "
        "begin at once.",
    )
    only_on: tuple[Name, ...] = Field(
        default=(), description="The instances that have it; none named: every one."
    )
    notify: Literal["failure", "always", "never"] = Field(
        default="failure", description="What is worth a notification."
    )
    mode: Literal["exec", "run"] = Field(
        default="exec",
        description="`exec`: in the service's container; `run`: in one of its own, made from the same image.",
    )

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if (self.schedule is None) is (self.every is None):
            raise ValueError("write `schedule` or `every`, one of them")
        if self.spread and self.spread > self.times.closest() * _MINUTE:
            raise ValueError(f"`spread` is longer than the {self.times.closest()} minutes between two runs")
        return self

    @property
    def times(self) -> Crontab:
        """When it runs, by the clock of its zone, before it is moved by its part of `spread`."""
        return crontab(self.schedule or _fields(self.every or _DAY))
