"""Going back to the generation before, on this host alone, until git moves on.

`STATE/rolled-back` names the commit that was left. As long as git's newest commit is still that one, the host
runs the generation before it; any other commit ends that. Losing the file only ends it sooner.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gitops.agent.generation import BEFORE, current
from gitops.engine.held import engine_lock
from gitops.system.clock import now, stamp
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places


@dataclass(frozen=True)
class RolledBack:
    """A host that went back.

    Args:
        left: the commit that it left, which git still has as its newest.
        to: the commit that it runs instead.
        since: when, RFC 3339 in UTC.
    """

    left: str
    to: str
    since: str

    def __str__(self) -> str:
        """Say so in a line, with what ends it."""
        return (
            f"rolled back from {self.left[:12]} to {self.to[:12]} since {self.since}; "
            "a newer commit ends that, or gitops rollback --end"
        )


def rolled_back(places: Places) -> RolledBack | None:
    """Tell whether this host went back; a file that cannot be read says no."""
    try:
        return RolledBack(**json.loads(_path(places).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def instead_of(commit: str, places: Places) -> str:
    """Give the commit to run where git's newest is this one: itself, unless the host went back from it."""
    rolled = rolled_back(places)
    return rolled.to if rolled and rolled.left == commit else commit


def go_back(places: Places) -> RolledBack:
    """Decide to go back to the generation before; the next turn of the agent does it.

    Raises:
        UserError: the host went back already, there is nothing to go back to, or it is being changed.
    """
    with exclusive(engine_lock(places), "this host's engine"):
        if rolled := rolled_back(places):
            raise UserError(f"this host is {rolled}")
        left = current(places).commit
        before = places.state / BEFORE
        if not before.is_dir() or (to := before.readlink().name) == left:
            raise UserError(
                "there is no generation before this one on this host",
                hint="take the change back in git: git revert",
            )
        rolled = RolledBack(left, to, stamp(now()))
        write(_path(places), json.dumps(asdict(rolled)))
        return rolled


def go_forward(places: Places) -> RolledBack:
    """Take a `go_back` back.

    Raises:
        UserError: the host is not rolled back.
    """
    rolled = rolled_back(places)
    if rolled is None:
        raise UserError("this host is not rolled back")
    end(places)
    return rolled


def end(places: Places, *, at: str | None = None) -> None:
    """Forget that the host went back.

    Args:
        places: the host's directories.
        at: git's newest commit, which ends it only when it is neither the one left nor the one gone back to.
    """
    rolled = rolled_back(places)
    if rolled is None or at not in {rolled.left, rolled.to}:
        _path(places).unlink(missing_ok=True)


def _path(places: Places) -> Path:
    return places.state / "rolled-back"
