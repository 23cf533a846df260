"""The fleet and host that a verb of a running host works on."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops.fleet.fleet import Fleet


def deployed(directory: Path | None, host: str | None = None) -> "tuple[Fleet, str]":
    """Load the fleet that this host runs, and tell the host's name; or those of a fleet in a directory.

    Raises:
        UserError: the host runs none yet, the definitions are wrong, or there is no such host.
    """
    from gitops.deploy.which import host_of
    from gitops.fleet.load import load

    root, named = whereabouts(directory, host)
    fleet = load(root)
    return fleet, host_of(fleet, named)


def whereabouts(directory: Path | None, host: str | None = None) -> tuple[Path, str | None]:
    """Tell where the fleet of `deployed` is, and the host's name as far as it is known without reading it.

    Raises:
        UserError: the host runs none yet, or there is none in that directory.
    """
    if directory is None:
        from gitops.agent.generation import current
        from gitops.system.places import places

        generation = current(places())
        return generation.path, host or generation.host
    from gitops.fleet.root import find_root

    return find_root(directory), host


def whose(directory: Path | None, host: str | None = None) -> tuple[str, str]:
    """Tell the names of the fleet that this host runs and of the host, as labels have them.

    Of a generation only that is read; it was checked when it came.

    Raises:
        UserError: as for `deployed`.
    """
    from gitops.fleet.document import read
    from gitops.fleet.root import FILE
    from gitops.system.places import places

    if directory is None:
        from gitops.agent.generation import current

        generation = current(places())
        document, _ = read(generation.path / FILE, FILE)
        if document and isinstance(name := document.content.get("name"), str):
            return name, host or generation.host
    fleet, here = deployed(directory, host)
    return fleet.settings.name, here
