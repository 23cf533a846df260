"""Whether what follows from the definitions has been written down, as `lock` and `render --check` see it."""

from gitops.fleet.fleet import Fleet
from gitops.images.locks import missing_or_stale, read_locks
from gitops.render.render import render, stale
from gitops.system.errors import Problem

AGAIN = "run gitops render with this version of gitops, and commit"


def unready(fleet: Fleet) -> list[Problem]:
    """Tell which locks do not fit the definitions or, when all do, which rendered files do not.

    Raises:
        UserError: a lock cannot be read, or a value cannot be expressed in what is rendered.
    """
    locks = read_locks(fleet)
    return missing_or_stale(fleet, locks) or [
        Problem(file=path, message=why, hint=AGAIN) for path, why in stale(fleet.root, render(fleet, locks))
    ]
