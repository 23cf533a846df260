"""Where a fleet is; apart from reading it, so that finding it costs nothing."""

from pathlib import Path

from gitops.system.errors import UserError

FILE = "fleet.yaml"


def find_root(start: Path) -> Path:
    """Find the fleet around a directory: the nearest one, upwards, that holds fleet.yaml.

    Raises:
        UserError: there is none.
    """
    directory = start.absolute()
    for candidate in (directory, *directory.parents):
        if (candidate / FILE).is_file():
            return candidate
    raise UserError(
        f"there is no {FILE} in {directory} or above it", hint="`gitops init` writes a fleet to start from"
    )
