"""Taking away what no generation that this host keeps has any use for: images, and .debs of the store.

Kept are the generation that runs and the one before it, so that a rollback neither builds nor fetches. What a
container has, running or not, the engine itself keeps.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gitops.agent.generation import BEFORE
from gitops.deploy.host import Wanted, want
from gitops.engine.leftovers import Leftovers
from gitops.system.errors import UserError
from gitops.system.places import Places

_FRESH = 24 * 3600
"""Seconds for which a .deb stays although nothing needs it yet: somebody may be about to build with it."""

_REFERENCE = re.compile(r"(?P<image>[a-z0-9-]+):[0-9a-f]{32}")


@dataclass(frozen=True)
class Collected:
    """What was taken away: names of images, and how many .debs with how many bytes."""

    images: tuple[str, ...] = ()
    debs: int = 0
    size: int = 0

    def __str__(self) -> str:
        """Give it in a line; nothing where nothing was taken away."""
        images, debs = len(self.images), self.debs
        parts = [f"{images} image{'s' * (images > 1)}"] if images else []
        parts += [f"{debs} package{'s' * (debs > 1)}, {self.size / 1e6:.0f} MB"] if debs else []
        return f"cleared away {' and '.join(parts)} that no generation needs" if parts else ""


def collect(wanted: Wanted, places: Places) -> Collected:
    """Take away what is not needed; for who holds the host's lock.

    Args:
        wanted: what the generation that runs says.
        places: the host's directories.

    Raises:
        UserError: the engine is away.
    """
    kept = [wanted, *_before(wanted, places)]
    with Leftovers() as engine:
        images = tuple(name for name in _images(kept, engine) if engine.remove_image(name))
    needed = {package.sha256 for one in kept for lock in one.locks.values() for package in lock.packages}
    debs, size = _sweep(places.cache / "store", needed)
    return Collected(images, debs, size)


def collect_and_tell(wanted: Wanted, places: Places, tell: Callable[[str], None]) -> None:
    """Collect, and say so where there was something; that it cannot be done now is no failure of a host."""
    try:
        found = str(collect(wanted, places))
    except (UserError, OSError) as error:
        found = f"nothing was cleared away: {error}"
    if found:
        tell(f"{wanted.host}: {found}")


def _before(wanted: Wanted, places: Places) -> list[Wanted]:
    """Give what the generation before says; one that this program cannot read any more needs nothing."""
    path = places.state / BEFORE
    try:
        return [want(path.resolve(strict=True), wanted.host, places)]
    except (UserError, FileNotFoundError):
        return []


def _images(kept: Iterable[Wanted], engine: Leftovers) -> list[str]:
    """Give the images of ours that none of the generations has."""
    needed = {reference for one in kept for reference in one.references.values()}
    names = {image for one in kept for image in one.fleet.images}
    found = []
    for one in kept:
        settings = one.fleet.settings
        prefix = settings.registry or settings.name
        for reference in sorted(set(engine.images(prefix)) - needed):
            match = _REFERENCE.fullmatch(reference.removeprefix(f"{prefix}/"))
            # Other fleets may have the same registry, but not the same name.
            if match and (settings.registry is None or match["image"] in names):
                found.append(reference)
    return list(dict.fromkeys(found))


def _sweep(store: Path, needed: set[str]) -> tuple[int, int]:
    """Remove the .debs that nothing needs; give how many, and their bytes."""
    count = size = 0
    for path in store.glob("*/*.deb"):
        entry = path.stat()
        if path.stem not in needed and entry.st_mtime < time.time() - _FRESH:
            path.unlink(missing_ok=True)
            count, size = count + 1, size + entry.st_size
    return count, size
