"""Who hears of what: `notifications` in fleet.yaml."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from gitops.fleet.kinds import Kind
from gitops.fleet.values import Duration, Model, Name

_DAY = 86400.0
AFTER: Final = {
    Kind.UPDATE: 0.0,
    Kind.SECURITY_UPDATE: 7 * _DAY,
    Kind.AGENT_SILENT: 900.0,
}
"""Seconds that a thing must last before anybody hears of it, where no rule says otherwise; else none."""


class Rule(Model):
    """Who hears of one kind of thing, and when."""

    kind: Kind = Field(description="Of what.")
    to: tuple[Name, ...] | None = Field(
        default=None,
        description="Who: secrets as in `to` above; none: `[]`; those of `to` where it is left out.",
    )
    after: Duration | None = Field(
        default=None, description="Only once it has lasted so long; security-update: 7d, agent-silent: 15m."
    )

    @model_validator(mode="after")
    def _is_told_at_once(self) -> Self:
        if self.kind is Kind.JOB_FAILING and self.after:
            raise ValueError("a job that fails is told of at once; for less of it: retries, or notify: never")
        return self


class Notifications(Model):
    """Who hears of what went wrong, and of its recovery."""

    to: tuple[Name, ...] = Field(
        default=(), description="Secrets that each hold an Apprise URL: mailto://, matrix://, json://…"
    )
    rules: tuple[Rule, ...] = Field(default=(), description="What differs for some kinds of notices.")
    per_hour: Annotated[int, Field(ge=1)] = Field(
        default=12, description="Messages an hour to each; what is more waits, and comes in one message."
    )

    def told(self, kind: str) -> tuple[str, ...]:
        """Give who hears of a kind; of a kind without a rule all of `to` do."""
        rules = [rule for rule in self.rules if rule.kind == kind]
        if not rules:
            return self.to
        names = [name for rule in rules for name in (self.to if rule.to is None else rule.to)]
        return tuple(dict.fromkeys(names))

    def after(self, kind: Kind) -> float:
        """Give how many seconds a thing of a kind must last before anybody hears of it."""
        said = [rule.after for rule in self.rules if rule.kind == kind and rule.after is not None]
        return min(said) if said else AFTER.get(kind, 0.0)

    @property
    def everybody(self) -> tuple[str, ...]:
        """Give all who hear of something."""
        names = [*self.to, *(name for rule in self.rules for name in rule.to or ())]
        return tuple(dict.fromkeys(names))
