"""Which locks the archives have moved on from: a cheap look that decides what apt is asked again."""

from collections.abc import Iterable
from dataclasses import dataclass

from gitops.debian.packages import Package
from gitops.debian.versions import compare
from gitops.images.lock import Lock


@dataclass(frozen=True)
class Outdated:
    """What is no longer the newest of one lock; empty where everything is.

    Args:
        other: packages of which the archives have a newer version in any suite; or, where pins decide, any
            other version. Whether apt takes it is apt's decision, by pins and by NotAutomatic suites.
        vanished: packages whose very .deb is no longer where their lock says: gone, or moved to another
            suite's pool.
    """

    other: tuple[str, ...]
    vanished: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.other or self.vanished)


def outdated(lock: Lock, available: Iterable[Package], *, pinned: bool = False) -> Outdated:
    """Compare a lock's own packages with those of the same names in the image's archives.

    Args:
        lock: what the image adds to its parent; the parent's packages are its own lock's business.
        available: every version of them in every suite; versions compare as Debian's (Policy 5.6.12).
        pinned: the image's archives have pins, so that an older version may be the one to take.
    """
    offered: dict[str, list[Package]] = {}
    for package in available:
        offered.setdefault(package.name, []).append(package)
    other, vanished = [], []
    for locked in lock.packages:
        there = offered.get(locked.name, ())
        # Most are as they were, and comparing texts is much quicker than comparing versions.
        moved = {each.version for each in there} - {locked.version}
        if any(pinned or compare(version, locked.version) > 0 for version in moved):
            other.append(locked.name)
        if all((each.sha256, each.path) != (locked.sha256, locked.path) for each in there):
            vanished.append(locked.name)
    return Outdated(tuple(other), tuple(vanished))
