"""New locks where the archives have moved on, parents first; what cannot move holds back nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

from gitops.fleet.fleet import Fleet
from gitops.images.lock import Lock
from gitops.images.locks import Locks, closure, targets
from gitops.system.errors import UserError

Key = tuple[str, str]
"""Image and architecture."""


@dataclass(frozen=True, order=True)
class Finding:
    """A lock that stays behind, and why."""

    image: str
    architecture: str
    reason: str

    def __str__(self) -> str:
        """Give `wordpress (amd64): there is no package …`, on one line and without control characters."""
        line = " ".join(f"{self.image} ({self.architecture}): {self.reason}".split())
        return "".join(character for character in line if character.isprintable())


@dataclass(frozen=True)
class Relocked:
    """New locks, those that differ alone, and what stays behind."""

    locks: dict[Key, Lock]
    findings: tuple[Finding, ...]


def relock(
    fleet: Fleet,
    old: Locks,
    is_outdated: Callable[[Lock], bool],
    resolve: Callable[[Key, Locks], Lock],
) -> Relocked:
    """Resolve again every image with something newer in the archives, and every image whose parent moved.

    An image that cannot be resolved keeps its lock, and so do its ancestors if it is their new state that it
    cannot live with: a build that is known to fail is not proposed.

    Args:
        fleet: the definitions.
        old: every lock as it is.
        is_outdated: tells whether an archive has anything newer for a lock.
        resolve: makes the lock of one image on top of the locks it is given.
    """
    held: dict[Key, str] = {}
    while True:
        new: dict[Key, Lock] = {}
        blamed: dict[Key, str] = {}
        for key in targets(fleet):
            moved = [above for above in _ancestors(fleet, key) if above in new]
            if key in held or not (moved or is_outdated(old[key])):
                continue
            try:
                lock = resolve(key, {**old, **new})
            except UserError as error:
                if moved and _needs_old_parent(fleet, old, new, key, resolve):
                    blamed = dict.fromkeys(moved, f"{key[0]} cannot follow: {error}")
                    break
                held[key] = str(error)
                continue
            if lock != old[key]:
                new[key] = lock
        if not blamed:
            return Relocked(new, tuple(sorted(Finding(*key, reason) for key, reason in held.items())))
        held |= blamed


def _ancestors(fleet: Fleet, key: Key) -> list[Key]:
    image, architecture = key
    found = []
    while (image := fleet.images[image].parent) != "scratch":
        found.append((image, architecture))
    return found


def _needs_old_parent(
    fleet: Fleet, old: Locks, new: Locks, key: Key, resolve: Callable[[Key, Locks], Lock]
) -> bool:
    """Tell whether an image that cannot be resolved on its moved parent could be on the old one.

    It also needs the old one where its own lock, which stays, would repeat what the parent now brings.
    """
    below = closure(fleet, {**old, **new}, fleet.images[key[0]].parent, key[1])
    if {package.name for package in below} & {package.name for package in old[key].packages}:
        return True
    try:
        resolve(key, old)
    except UserError:
        return False
    return True
