"""What the bot asks the archives and apt about the images of one fleet."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from gitops.debian.installable import unmet
from gitops.debian.packages import Package
from gitops.debian.upgrade import upgrade
from gitops.fleet.fleet import Fleet
from gitops.images.archives import pins
from gitops.images.choosing import Chooser
from gitops.images.lock import Lock
from gitops.images.locks import Locks
from gitops.system.places import Places
from gitops.system.progress import Progress
from gitops.updates.detect import outdated
from gitops.updates.difference import Difference, Key
from gitops.updates.groups import contents, stack


@dataclass(frozen=True)
class Archives:
    """The archives of a fleet as they are now.

    Args:
        fleet: the definitions.
        chooser: knows the indexes and lets apt choose.
        places: where apt's caches are kept.
        progress: is told of each image.
    """

    fleet: Fleet
    chooser: Chooser
    places: Places
    progress: Progress

    def is_outdated(self, lock: Lock) -> bool:
        """Tell whether an archive of the image has anything newer for its lock, in any suite."""
        if not lock.packages:
            return False
        indexes = self.chooser.indexes(lock.image, lock.architecture)
        available = (found for package in lock.packages for found in indexes.candidates(package.name))
        pinned = bool(pins(self.fleet, self.fleet.archives_of(lock.image)))
        return bool(outdated(lock, available, pinned=pinned))

    def choose(self, key: Key, locks: Locks) -> Lock:
        """Let apt choose anew for one image, on top of the locks given."""
        self.progress(key[0], f"choosing packages for {key[1]}")
        try:
            return self.chooser.choose(key, locks)
        finally:
            self.progress(key[0], "")

    def upgrade(self, key: Key, locks: Locks) -> Lock:
        """Let apt move on what it can of one image, on top of the locks given, and keep the rest."""
        image, architecture = key
        below = contents(locks, stack(self.fleet, key)[1:])
        theirs = {package.name for package in below}
        own = {package.name: package for package in locks[key].packages if package.name not in theirs}
        moved = upgrade(
            self.chooser.indexes(image, architecture),
            [self._stanza(package, key) for package in own.values()],
            [self._stanza(package, key) for package in below],
            pins=pins(self.fleet, self.fleet.archives_of(image)),
            root=self.places.cache / "apt",
        )
        own |= {package.name: package for package in moved}
        return replace(locks[key], packages=tuple(sorted(own.values())))

    def has_left(self, difference: Difference) -> bool:
        """Tell whether what a difference would replace is in no suite any more: no build can have it."""
        old, (image, architecture) = difference.old, difference.key
        if old is None:
            return False
        there = self.chooser.indexes(image, architecture).candidates(old.name)
        return all((each.sha256, each.path) != (old.sha256, old.path) for each in there)

    def judge(self, images: Sequence[tuple[Key, tuple[Package, ...]]]) -> list[tuple[frozenset[str], ...]]:
        """Tell for each image which of the packages it would have are in each other's way."""
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(self._troubles, images))

    def _troubles(self, image: tuple[Key, tuple[Package, ...]]) -> tuple[frozenset[str], ...]:
        key, packages = image
        names = [package.name for package in packages]
        if twice := frozenset(name for name in names if names.count(name) > 1):
            return tuple(frozenset({name}) for name in twice)
        return unmet([self._stanza(package, key) for package in packages], key[1])

    def _stanza(self, package: Package, key: Key) -> str:
        """Give a package's own words; one that is nowhere to be had any more is taken to need nothing."""
        known = self.chooser.stanza(package, *key)
        return known or (
            f"Package: {package.name}\nVersion: {package.version}\nArchitecture: {package.architecture}\n"
            f"Maintainer: unknown\nDescription: left its archive"
        )
