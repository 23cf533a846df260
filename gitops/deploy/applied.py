"""What became of a plan: each action with its times and how it turned out."""

from dataclasses import dataclass
from datetime import datetime

from gitops.deploy.action import Action, Result
from gitops.system.errors import Problem


@dataclass(frozen=True)
class Outcome:
    """What became of one action.

    Args:
        action: which.
        result: how it turned out.
        began: when, UTC; None when it was not touched.
        ended: when, UTC; None when it was not touched.
        reason: why it did not turn out well, one line for people, without what a container printed.
    """

    action: Action
    result: Result
    began: datetime | None = None
    ended: datetime | None = None
    reason: str = ""

    def __str__(self) -> str:
        """Give a line for people: `rolled back alice/web: alice/web is unhealthy`."""
        return f"{self.result} {self.action.subject}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class Applied:
    """What became of a plan.

    Args:
        outcomes: one for each action, in the plan's order.
        problems: what went wrong, with what containers said of it; empty when all is done.
    """

    outcomes: tuple[Outcome, ...] = ()
    problems: tuple[Problem, ...] = ()
