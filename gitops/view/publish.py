"""Pages that the agent keeps up to date, where its administrator wants them: `pages` in agent.yaml."""

import logging
from pathlib import Path

from gitops.agent.generation import current
from gitops.agent.settings import FILE, read_settings
from gitops.engine.docker import Docker
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.view.look import look
from gitops.view.pages import write_pages
from gitops.view.view import View

log = logging.getLogger(__name__)


def wanted(places: Places) -> Path | None:
    """Give the directory that agent.yaml names for pages; None: none, or there is no agent.yaml.

    Raises:
        UserError: agent.yaml is wrong.
    """
    if not (places.config / FILE).exists():
        return None
    pages = read_settings(places).pages
    return Path(pages) if pages else None


def refresh(places: Places) -> None:
    """Look anew, and write the pages, where they are wanted and this host runs something."""
    try:
        if wanted(places) and (places.state / "current").exists():
            kept = current(places)
            with Docker() as engine:
                publish(look(kept.path, kept.host, engine, places, use=False), places)
    except (UserError, OSError) as error:
        log.warning("the pages were not written: %s", error)


def publish(view: View, places: Places) -> None:
    """Write the pages where they are wanted; what is in the way is only logged."""
    try:
        if directory := wanted(places):
            write_pages(view, directory, places)
    except (UserError, OSError) as error:
        log.warning("the pages were not written: %s", error)
