"""Whether containers are well, and as they were made: all that a list of them tells."""

from collections.abc import Iterable

from gitops.deploy.steps import standstill
from gitops.engine.observed import Observed
from gitops.engine.specification import format_digests


def works(containers: Iterable[Observed]) -> bool:
    """Tell whether each runs and is well, or has ended well and is not to run any more."""
    return all(
        one.health in {"", "healthy"} and not one.just_started
        if one.state == "running"
        else one.state == "exited" and not one.aside and not standstill(one.restart, one)
        for one in containers
    )


def summary(containers: Iterable[Observed]) -> list[list[str]]:
    """Give of each its name, what it was made from and its networks: another one is to be changed."""
    return [[one.name, format_digests(dict(one.digests)), *one.networks] for one in containers]
