"""What the archives have for the images of one fleet; each set of indexes is brought up to date once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gitops.debian.indexes import Indexes, refresh
from gitops.fleet.fleet import Fleet
from gitops.images.archives import sources
from gitops.images.lock import Lock
from gitops.images.locking import lock_images
from gitops.images.locks import Locks
from gitops.system.places import Places
from gitops.updates.detect import outdated


@dataclass(frozen=True)
class Archives:
    """The archives of a fleet.

    Args:
        fleet: the definitions.
        places: where indexes are kept.
        progress: is told what is being done, a line each.
    """

    fleet: Fleet
    places: Places
    progress: Callable[[str], None]
    _indexes: dict[tuple[tuple[str, ...], str], Indexes] = field(default_factory=dict)

    def is_outdated(self, lock: Lock) -> bool:
        """Tell whether an archive of the image has anything newer for its lock, in any suite."""
        if not lock.packages:
            return False
        indexes = self._offer(self.fleet.archives_of(lock.image), lock.architecture)
        names = dict.fromkeys(package.name for package in lock.packages)
        return bool(outdated(lock, (found for name in names for found in indexes.candidates(name))))

    def resolve(self, key: tuple[str, str], locks: Locks) -> Lock:
        """Let apt choose anew for one image, on top of the locks given, and for nothing that stands on it."""
        image, architecture = key
        alone = {name: self.fleet.images[name] for name in self.fleet.parents_first([image])}
        made = lock_images(
            replace(self.fleet, images=alone),
            locks,
            [image],
            [architecture],
            places=self.places,
            progress=lambda name, doing: self.progress(f"{name}: {doing}") if doing else None,
        )
        return made[key]

    def _offer(self, archives: tuple[str, ...], architecture: str) -> Indexes:
        if (archives, architecture) not in self._indexes:
            self.progress(f"asking {', '.join(archives)} for {architecture}")
            self._indexes[archives, architecture] = refresh(
                sources(self.fleet, archives), architecture, self.places.cache / "indexes"
            )
        return self._indexes[archives, architecture]
