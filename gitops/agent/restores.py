"""Restores that died: brought to an end before anything else is done to their instances."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitops.agent.generation import current
from gitops.backup.cut_short import any_cut_short
from gitops.engine.docker import Docker
from gitops.fleet.load import load
from gitops.system.places import Places

if TYPE_CHECKING:
    from gitops.backup.vault import Vault


def finish_restores(engine: Docker, places: Places, tell: Callable[[str], object]) -> None:
    """Undo or finish what restores have left that were cut short; not under the engine's lock.

    Args:
        engine: the host's engine.
        places: the host's directories.
        tell: is given a line for each, also for what cannot be brought to an end now.
    """
    if any_cut_short(places):
        from gitops.backup.resume import resume_all  # noqa: PLC0415  # there is hardly ever one

        resume_all(engine, places, lambda: _vault(places), tell)


@contextmanager
def _vault(places: Places) -> "Iterator[Vault]":
    """Open the host's backups, by the definitions that it runs."""
    from gitops.backup.vault import open_vault  # noqa: PLC0415  # see above

    generation = current(places)
    with open_vault(load(generation.path), generation.host, places) as vault:
        yield vault
