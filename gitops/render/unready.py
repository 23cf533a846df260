"""Whether what follows from the definitions has been written down, as `lock` and `render --check` see it."""

from gitops.fleet.fleet import Fleet
from gitops.images.locks import read_locks
from gitops.render.render import render, stale
from gitops.system.errors import Problem

AGAIN = "run gitops render with this version of gitops, and commit"


def unready(fleet: Fleet) -> list[Problem]:
    """Tell which rendered files are not what the definitions say.

    Raises:
        UserError: a lock cannot be read or does not fit, or a value cannot be expressed in what is rendered.
    """
    found = stale(fleet.root, render(fleet, read_locks(fleet)))
    return [Problem(file=path, message=why, hint=AGAIN) for path, why in found]
