"""Whether a generation is whole: what `check`, `lock` and `render` would say of it, before it is used."""

from pathlib import Path

from gitops.deploy.which import host_of
from gitops.fleet.load import load
from gitops.render.unready import unready
from gitops.system.errors import UserError


def check(root: Path, host: str) -> None:
    """Look at everything that a fleet says, before any of it is used.

    Args:
        root: the fleet's directory, as a commit has it.
        host: the host that would run it.

    Raises:
        UserError: a definition is wrong, or the fleet does not know the host; or locks do not fit; or
            rendered files are not what the definitions say. Everything of the first of these that fails.
    """
    fleet = load(root)
    host_of(fleet, host)
    if problems := unready(fleet):
        raise UserError.of(problems)
