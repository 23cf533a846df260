"""Fleets of images, made of values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitops.fleet.fleet import Fleet
from gitops.fleet.images import Image
from gitops.fleet.settings import Settings
from gitops.images.lock import Lock
from gitops.images.locking import lock_images
from gitops.system.places import Places
from gitops.system.progress import silent
from tests.archive import TestArchive

Locks = dict[tuple[str, str], Lock]


def fleet(
    root: Path, archives: Mapping[str, Mapping[str, Any]], images: Mapping[str, Any], name: str = "f"
) -> Fleet:
    """Make a fleet of what its files would say; files that images copy are below root."""
    settings = Settings.model_validate({"name": name, "archives": archives})
    return Fleet(root, settings, {key: Image.model_validate(text) for key, text in images.items()}, {}, {})


def of(archive: TestArchive, *suites: str, **fields: object) -> dict[str, Any]:
    """Define a test archive in a fleet's words."""
    return {
        "mirror": archive.mirror,
        "suites": list(suites or ("trixie",)),
        "keyring": str(archive.keyring),
        **fields,
    }


def places_below(root: Path, cache: Path | None = None) -> Places:
    """Put every place below one directory, but the cache where one is given."""
    return Places(root / "etc", root / "state", cache or root / "cache", root / "run", root / "cron")


def lock(fleet: Fleet, places: Places, locks: Locks | None = None, *names: str) -> Locks:
    """Give a fleet's locks with those of some images, or all, made anew."""
    old = locks or {}
    return {**old, **lock_images(fleet, old, names or None, places=places, progress=silent)}
