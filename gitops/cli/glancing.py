"""`gitops status` with no option, as people ask again and again: only what a glance needs is loaded."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gitops.fleet.root import find_root
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places, places
from gitops.system.terminal import guard


def where(fleet: Path | None, host: str | None, place: Places) -> Callable[[], tuple[Path, str | None]]:
    """Give what finds the fleet that is meant, and the host, at each look.

    Args:
        fleet: its directory, as the user named it; None: the one around this directory, or else the one that
            this host runs, which may become another one between two looks.
        host: the host's name, as the user gave it.
        place: this machine's directories.

    Raises:
        UserError: there is neither.
    """
    try:
        root = find_root(fleet or Path.cwd())
    except UserError:
        if fleet or not (place.state / "current").exists():
            raise
        return lambda: _generation(host, place)
    return lambda: (root, host)


def glanced() -> bool:
    """Show how this host stands, if a glance can tell; False: the whole program is needed."""
    from gitops.view.glance import glance

    guard()
    place = places()
    try:
        found = glance(*where(None, None, place)(), place, now())
    except (UserError, OSError):  # the whole program tells
        return False
    if found:
        from gitops.cli.overview import overview
        from gitops.cli.table import show_all

        with suppress(BrokenPipeError):  # somebody reads the first lines only
            show_all(overview(found))
    return found is not None


def _generation(host: str | None, place: Places) -> tuple[Path, str | None]:
    from gitops.agent.generation import current

    kept = current(place)
    return kept.path, host or kept.host
