"""Keeping a container beside the one that takes its place, and giving it its place back.

Each of these does no harm when it is done again, so that one which was cut short is simply repeated.
"""

from collections.abc import Sequence

from gitops.engine.docker import Docker
from gitops.engine.labels import UNLESS_STOPPED
from gitops.engine.names import BEFORE, OVER
from gitops.engine.observed import Observed

_RUNS = {"running", "restarting", "paused"}


def stand_aside(engine: Docker, one: Observed, *, stopped: bool) -> None:
    """Take a container out of its place; `stopped`: and stop it.

    It stops before it is renamed: until then it is a container that stands still, which anybody would start
    again. (And Docker 20.10 may lose track of a network when a container on it is renamed while it runs.) Its
    policy goes last, when its name tells that this is to come back: an engine that starts anew would start it
    beside its successor; `unless-stopped` is harmless by itself.
    """
    if stopped:
        engine.stop(one.id)
    if not one.aside:
        engine.rename(one.id, one.place + BEFORE)
    if stopped and one.restart != UNLESS_STOPPED:
        engine.keep_down(one.id)


def put_back(engine: Docker, one: Observed) -> None:
    """Give a container its policy, its name and its life back; nothing else may have the name any more.

    The policy comes before the name: as long as it stands aside, everybody can tell that this is not over.
    """
    if one.aside:
        if one.restart != UNLESS_STOPPED:
            engine.let_restart(one.id, one.restart)
        engine.rename(one.id, one.place)
    if ran(one):
        engine.start(one.id)


def let_go(engine: Docker, kept: Sequence[Observed]) -> None:
    """Remove what stood aside in an instance whose new containers have all proved themselves.

    They stand still. Where that is several, the first is renamed to say so, and goes last: one step decides
    for all of them.
    """
    first, *others = kept
    if others:
        engine.rename(first.id, first.place + OVER)
    for one in (*others, first):
        engine.remove(one.id)


def ran(one: Observed) -> bool:
    """Tell whether a container ran before it stood aside; one that had ended well is not to begin again."""
    if one.state in _RUNS:
        return True
    ends = one.restart == "no" or one.restart.startswith("on-failure")
    return one.state != "created" and not (one.exited_well and ends)
