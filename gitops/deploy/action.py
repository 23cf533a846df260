"""One step towards what is desired, and why; what was not done, and how what was done turned out."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec, VolumeSpec


class Kind(StrEnum):
    """What an action does; the words that a plan shows."""

    BUILD = "build image"
    NETWORK = "create network"
    VOLUME = "create volume"
    CREATE = "create"
    RECREATE = "recreate"
    FINISH = "finish"
    PUT_BACK = "put back"
    ROLL_BACK = "roll back"
    UPDATE = "update limits"
    START = "start"
    RESTART = "restart"
    REMOVE_NETWORK = "remove network"
    REMOVE = "remove"
    TIDY = "clear away"


ROLLED = {Kind.RECREATE, Kind.FINISH, Kind.PUT_BACK, Kind.ROLL_BACK, Kind.REMOVE}
"""What takes away something that runs: done a few instances at a time, and undone when it fails."""


class Result(StrEnum):
    """How an action turned out, or why it was left."""

    DONE = "done"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    ROLLBACK_FAILED = "rollback failed"
    NOT_TOUCHED = "not touched"


@dataclass(frozen=True)
class Action:
    """One step, and why.

    Args:
        kind: what is done.
        subject: to what: INSTANCE/SERVICE, or the name of an image, network or volume.
        reason: why, for people.
        spec: what is to be there afterwards; None where a container goes for good.
        observed: what is there before; None where there is nothing.
        before: the container that stands aside for an earlier roll-out; see docs/rollouts.md.
    """

    kind: Kind
    subject: str
    reason: str
    spec: ContainerSpec | NetworkSpec | VolumeSpec | None = None
    observed: Observed | None = None
    before: Observed | None = None

    @property
    def instance(self) -> str:
        """Give the instance of a container, network or volume; empty for an image, which is everybody's."""
        if self.kind is Kind.BUILD:
            return ""
        return self.spec.instance if self.spec else self.subject.partition("/")[0]

    def __str__(self) -> str:
        """Give a line of the plan."""
        return f"{self.kind} {self.subject}: {self.reason}"


@dataclass(frozen=True)
class Held:
    """An instance that is left as it is although git says something else.

    Args:
        instance: which.
        result: FAILED, ROLLED_BACK or ROLLBACK_FAILED: it was tried; NOT_TOUCHED: it was not.
        reason: why, for people.
        said: the last words of what failed, in as many lines as it had.
    """

    instance: str
    result: Result
    reason: str
    said: str = ""

    def __str__(self) -> str:
        """Give a line of the plan."""
        return f"{self.result} {self.instance}: {self.reason}"


Because = Callable[[Observed, ContainerSpec], str]
"""Says what changed between a container's image and the desired one; empty when that is not known."""
