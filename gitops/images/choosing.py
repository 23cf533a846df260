"""What apt chooses for one image at a time, from the archives of a fleet as they are now."""

import contextlib
from threading import Lock as Mutex

from gitops.debian import deb
from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package
from gitops.debian.resolve import resolve
from gitops.debian.store import Store
from gitops.debian.suites import Suites
from gitops.fleet.fleet import Fleet
from gitops.images.archives import mirrors, pins, sources
from gitops.images.lock import Lock
from gitops.images.locks import Locks, closure, request_of
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import Progress, silent


class Chooser:
    """Chooses packages for the images of one fleet; threads may share it.

    Every suite is asked once in its life, so all that it chooses is from one state of the archives.
    """

    def __init__(self, fleet: Fleet, places: Places, progress: Progress = silent) -> None:
        """Ask nothing yet.

        Args:
            fleet: the definitions.
            places: where indexes, apt's answers and .debs are kept.
            progress: is told of indexes that are fetched, by several threads.
        """
        self._fleet = fleet
        self._cache = places.cache
        self._suites = Suites(places.cache / "indexes", progress)
        self._indexes: dict[tuple[tuple[str, ...], str], Indexes] = {}
        self._stanzas: dict[tuple[tuple[str, ...], str, str], str | None] = {}
        self._fetching = Mutex()
        self.store = Store(places.cache / "store")

    def indexes(self, image: str, architecture: str) -> Indexes:
        """Give what the archives of an image have.

        Raises:
            UserError: an archive cannot be reached or trusted.
        """
        key = self._fleet.archives_of(image), architecture
        if key not in self._indexes:
            self._indexes[key] = self._suites.indexes(sources(self._fleet, key[0]), architecture)
        return self._indexes[key]

    def ask(self, image: str, architecture: str) -> None:
        """Ask for what choosing needs, so that an archive's error is told apart from an image's own.

        Raises:
            UserError: an archive cannot be reached or trusted.
        """
        if self._fleet.images[image].packages or self._fleet.images[image].is_base:
            self.indexes(image, architecture)

    def choose(self, target: tuple[str, str], locks: Locks) -> Lock:
        """Let apt choose anew for one image and architecture, on top of the locks given.

        Args:
            target: image and architecture.
            locks: those of its parents are what is installed already; others do not count.

        Raises:
            UserError: an archive cannot be trusted, a package cannot be had, a parent's lock is missing.
        """
        image, architecture = target
        definition = self._fleet.images[image]
        packages: list[Package] = []
        if definition.packages or definition.is_base:
            installed = (
                () if definition.is_base else closure(self._fleet, locks, definition.parent, architecture)
            )
            packages = resolve(
                self.indexes(image, architecture),
                definition.packages,
                base=definition.is_base,
                installed=[self._stanza(package, image, architecture) for package in installed],
                recommends=definition.recommends,
                pins=pins(self._fleet, self._fleet.archives_of(image)),
                root=self._cache / "apt",
            )
        return Lock(image, architecture, request_of(self._fleet, image), tuple(packages))

    def stanza(self, package: Package, image: str, architecture: str) -> str | None:
        """Give the control stanza of a package, in its .deb's words where the image's archives forgot it.

        Returns:
            The stanza; None when the .deb is nowhere any more.
        """
        with contextlib.suppress(UserError):
            return self._stanza(package, image, architecture)
        return None

    def _stanza(self, package: Package, image: str, architecture: str) -> str:
        key = self._fleet.archives_of(image), architecture, package.sha256
        stanza = self._stanzas.get(key) or self.indexes(image, architecture).stanza(package)
        if stanza is None:
            with self._fetching:  # not twice by two threads
                self.store.fetch([package], mirrors(self._fleet))
            stanza = deb.control(self.store.path(package.sha256))
        self._stanzas[key] = stanza
        return stanza
