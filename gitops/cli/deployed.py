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
    from gitops.fleet.load import load
    from gitops.system.places import places

    if directory is None:
        from gitops.agent.generation import current

        generation = current(places())
        return load(generation.path), host or generation.host
    from gitops.deploy.which import host_of
    from gitops.fleet.root import find_root

    fleet = load(find_root(directory))
    return fleet, host_of(fleet, host)


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
