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
        newer: packages of which the archive has a newer version, in any of its suites. Whether apt takes it
            is apt's decision, by pins and by NotAutomatic suites.
        vanished: packages whose very .deb the archive no longer has.
    """

    newer: tuple[str, ...]
    vanished: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.newer or self.vanished)


def outdated(lock: Lock, available: Iterable[Package]) -> Outdated:
    """Compare a lock's own packages with those of the same names in the image's archives.

    Args:
        lock: what the image adds to its parent; the parent's packages are its own lock's business.
        available: every version of them in every suite; versions compare as Debian's (Policy 5.6.12).
    """
    versions: dict[str, list[Package]] = {}
    for package in available:
        versions.setdefault(package.name, []).append(package)
    return Outdated(
        newer=tuple(
            locked.name
            for locked in lock.packages
            if any(compare(other.version, locked.version) > 0 for other in versions.get(locked.name, ()))
        ),
        vanished=tuple(
            locked.name
            for locked in lock.packages
            if all(other.sha256 != locked.sha256 for other in versions.get(locked.name, ()))
        ),
    )
