"""Making locks: apt chooses each image's packages from verified indexes, parents first."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from gitops.debian import deb
from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package
from gitops.debian.resolve import resolve
from gitops.debian.store import Store
from gitops.debian.suites import refresh
from gitops.fleet.fleet import Fleet
from gitops.images.archives import mirrors, pins, sources
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import Locks, closure, lock_path, missing_or_stale, request_of, targets
from gitops.images.progress import Progress
from gitops.system.errors import Problem, UserError
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places


def lock_images(
    fleet: Fleet,
    locks: Locks,
    names: Iterable[str] | None = None,
    architectures: Iterable[str] | None = None,
    *,
    places: Places,
    progress: Progress,
) -> dict[tuple[str, str], Lock]:
    """Resolve images anew against their archives as they are now; writes no lock.

    What stands on an image that changes is resolved anew too, and so is a parent whose lock does not fit.

    Args:
        fleet: the definitions.
        locks: the locks there are.
        names: the images; None for all.
        architectures: which; None for all that their archives name.
        places: where indexes and .debs are kept.
        progress: is told of each image.

    Returns:
        The locks that were made, parents first, whether they differ from before or not.

    Raises:
        UserError: archives that cannot be trusted, packages that cannot be had: all that was found.
    """
    wanted = set(fleet.images if names is None else names)
    allowed = None if architectures is None else set(architectures)
    unfit = {problem.file for problem in missing_or_stale(fleet, locks)}
    archives = _Archives(fleet, places)
    made: dict[tuple[str, str], Lock] = {}
    moved: set[tuple[str, str]] = set()
    failed: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    needed = set(fleet.parents_first(sorted(wanted)))
    for image, architecture in targets(fleet):
        key, below = (image, architecture), (fleet.images[image].parent, architecture)
        if allowed is not None and architecture not in allowed:
            continue
        is_unfit = image in needed and str(lock_path(Path(), image, architecture)) in unfit
        if below in failed:
            failed.add(key)
        elif image in wanted or below in moved or is_unfit:
            progress(image, f"choosing packages for {architecture}")
            archives.refresh(image, architecture)
            try:
                made[key] = _resolved(fleet, {**locks, **made}, image, architecture, archives)
            except UserError as error:
                failed.add(key)
                problems += [_about(image, problem) for problem in error.problems]
            else:
                if key not in locks or made[key].packages != locks[key].packages:
                    moved.add(key)
            progress(image, "")
    if problems:
        raise UserError.of(list(dict.fromkeys(problems)))
    return made


def write_locks(root: Path, locks: Mapping[tuple[str, str], Lock]) -> list[Path]:
    """Write locks into a fleet: all of them, or none when one cannot be written.

    Returns:
        The files that changed.
    """
    before: list[tuple[Path, str | None]] = []
    changed: list[Path] = []
    try:
        for (image, architecture), lock in locks.items():
            path = lock_path(root, image, architecture)
            before.append((path, path.read_text() if path.is_file() else None))
            if write(path, format_lock(lock)):
                changed.append(path)
    except BaseException:
        for path, text in before:
            if text is None:
                path.unlink(missing_ok=True)
            else:
                write(path, text)
        raise
    return changed


def hold_locks(root: Path, places: Places) -> AbstractContextManager[None]:
    """Keep every other gitops from changing a fleet's locks meanwhile."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return exclusive(places.runtime / f"fleet-{digest}.lock", f"the fleet {root}")


class _Archives:
    """The archives of a fleet as they are now; each set of them is asked once."""

    def __init__(self, fleet: Fleet, places: Places) -> None:
        self._fleet = fleet
        self._cache = places.cache
        self._indexes: dict[tuple[tuple[str, ...], str], Indexes] = {}
        self.store = Store(places.cache / "store")

    def refresh(self, image: str, architecture: str) -> None:
        """Bring the indexes up to date that an image needs; an error in them is about no image."""
        definition = self._fleet.images[image]
        key = self._fleet.archives_of(image), architecture
        if key not in self._indexes and (definition.packages or definition.is_base):
            self._indexes[key] = refresh(sources(self._fleet, key[0]), architecture, self._cache / "indexes")

    def resolve(self, image: str, architecture: str, installed: Iterable[Package]) -> list[Package]:
        definition = self._fleet.images[image]
        archives = self._fleet.archives_of(image)
        if not definition.packages and not definition.is_base:
            return []
        indexes = self._indexes[archives, architecture]
        return resolve(
            indexes,
            definition.packages,
            base=definition.is_base,
            installed=[self._stanza(indexes, package) for package in installed],
            recommends=definition.recommends,
            pins=pins(self._fleet, archives),
            root=self._cache / "apt",
        )

    def _stanza(self, indexes: Indexes, package: Package) -> str:
        """Give a parent's package in its own words, from its .deb where the archive has it no more."""
        stanza = indexes.stanza(package)
        if stanza is None:
            self.store.fetch([package], mirrors(self._fleet))
            stanza = deb.control(self.store.path(package.sha256))
        return stanza


def _resolved(fleet: Fleet, locks: Locks, image: str, architecture: str, archives: _Archives) -> Lock:
    parent = fleet.images[image].parent
    installed = () if parent == "scratch" else closure(fleet, locks, parent, architecture)
    packages = archives.resolve(image, architecture, installed)
    return Lock(image, architecture, request_of(fleet, image), tuple(sorted(packages)))


def _about(image: str, problem: Problem) -> Problem:
    """Say whose packages a problem is about, unless it is about a file already."""
    return problem if problem.file else Problem(f"images/{image}.yaml", 0, 0, problem.message, problem.hint)
