"""What is new in a source package: the changelog between two versions, from a verified .deb itself."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from gitops.debian import changelog
from gitops.debian.changelog import Entry
from gitops.debian.packages import Package, source_version
from gitops.debian.store import Store
from gitops.debian.versions import compare
from gitops.fleet.fleet import Fleet
from gitops.images.archives import mirrors
from gitops.images.choosing import Chooser
from gitops.images.lock import Lock
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import Amount, Progress
from gitops.updates.effect import Effect, PackageUpdate
from gitops.updates.escaping import line

_THREADS = 8
_TRIES = 3  # .debs of one source package that are looked into; further ones will not say more
_URGENCIES = ("", "low", "medium", "high", "emergency", "critical")  # Debian Policy 5.6.17

Locks = Mapping[tuple[str, str], Lock]


@dataclass(frozen=True)
class News:
    """What is new in one source package.

    Args:
        source: its name.
        old: its version up to now; None where it comes in.
        new: its version from now on; None where it goes.
        entries: of the changelog, newest first; those that are taken back where `new` is the older one.
        missing: why there are none, on one line; empty where there are, or where none are to be had.
        packages: what is built from it and moves.
    """

    source: str
    old: str | None
    new: str | None
    entries: tuple[Entry, ...] = ()
    missing: str = ""
    packages: tuple[PackageUpdate, ...] = ()

    @property
    def withdrawn(self) -> bool:
        """Tell whether the archive went back to an older version."""
        with suppress(ValueError):
            return bool(self.old and self.new and compare(self.new, self.old) < 0)
        return False

    @property
    def urgency(self) -> str:
        """The highest urgency of its entries, one of Debian's words for it; empty when unknown."""
        return _URGENCIES[max((rank(entry.urgency) for entry in self.entries), default=0)]

    @property
    def cves(self) -> tuple[str, ...]:
        """CVE numbers that its entries name, sorted."""
        return tuple(sorted({cve for entry in self.entries for cve in entry.cves}, key=_by_number))

    @property
    def bugs(self) -> tuple[int, ...]:
        """Debian bugs that its entries close, sorted."""
        return tuple(sorted({bug for entry in self.entries for bug in entry.bugs}))


def rank(urgency: str) -> int:
    """Order urgencies, an unknown one lowest."""
    return _URGENCIES.index(urgency) if urgency in _URGENCIES else 0


def collect(
    fleet: Fleet,
    effect: Effect,
    old: Locks,
    new: Locks,
    chooser: Chooser,
    places: Places,
    progress: Progress,
) -> tuple[News, ...]:
    """Tell what is new in each source package of an update; what cannot be read is said, and stops nothing.

    Args:
        fleet: the definitions.
        effect: what changes.
        old: every lock as it is.
        new: the locks that replace some of them.
        chooser: knows the packages' stanzas.
        places: where .debs are kept.
        progress: is told how many changelogs have been read.

    Returns:
        Sorted by source, then version; every package of the effect is in exactly one.
    """
    moves = [_Move.of(update, old, new, chooser) for update in effect.packages]
    groups = _by_version(moves)
    store, where = Store(places.cache / "store"), mirrors(fleet)

    def read(key: tuple[str, str | None, str | None]) -> News:
        return _news(*key, groups[key], lambda package: store.fetch([package], where), store)

    found: list[News] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for each in pool.map(read, sorted(groups, key=lambda key: tuple(part or "" for part in key))):
            found.append(each)
            progress("updates", "reading changelogs", Amount(len(found), len(groups), "changelogs"))
    progress("updates", "")
    return tuple(found)


@dataclass(frozen=True)
class _Move:
    """A package that moves, and the versions of its source package before and after."""

    update: PackageUpdate
    old: Package | None
    new: Package | None
    before: str | None
    after: str | None

    @classmethod
    def of(cls, update: PackageUpdate, old: Locks, new: Locks, chooser: Chooser) -> "_Move":
        left, image, architecture = _find(old, update, update.old)
        right, *there = _find(new, update, update.new)
        after = None
        if right:
            stanza = chooser.stanza(right, there[0], there[1])
            after = source_version(stanza) if stanza else _without_rebuild(right.version)
        before = _built_from(left, image, architecture, chooser, right, after) if left else None
        if before == after and left and right:  # built again, as +b1 is: nothing of the source has changed
            before, after = left.version, right.version
        return cls(update, left, right, before, after)


def _find(locks: Locks, update: PackageUpdate, version: str | None) -> tuple[Package | None, str, str]:
    """Find the line of a lock that an update speaks of, and whose lock it is."""
    for (image, architecture), lock in sorted(locks.items()):
        if version and image in update.images:
            for package in lock.packages:
                if (package.name, package.version) == (update.name, version):
                    return package, image, architecture
    return None, "", ""


def _built_from(
    package: Package, image: str, architecture: str, chooser: Chooser, new: Package | None, after: str | None
) -> str:
    """Give the version of an old package's source, if possible without its .deb.

    Where the archive has it no more, it is taken to relate to its source's version as the new one does.
    """
    with suppress(UserError):
        if stanza := chooser.indexes(image, architecture).stanza(package):
            return source_version(stanza)
    if (
        new
        and after != _without_rebuild(new.version)
        and (stanza := chooser.stanza(package, image, architecture))
    ):
        return source_version(stanza)
    return _without_rebuild(package.version)


def _without_rebuild(version: str) -> str:
    """Take off what a rebuild on one architecture adds to a version (Developer's Reference 5.10.2.1)."""
    return re.sub(r"\+b\d+$", "", version)


def _by_version(moves: Iterable[_Move]) -> dict[tuple[str, str | None, str | None], list[_Move]]:
    """Group what moves together; what comes or goes with it belongs to it."""
    groups: defaultdict[tuple[str, str | None, str | None], list[_Move]] = defaultdict(list)
    halves = []
    for move in moves:
        if move.before and move.after:
            groups[move.update.source, move.before, move.after].append(move)
        else:
            halves.append(move)
    for move in halves:
        whole = (
            key
            for key in groups
            if key[0] == move.update.source
            and ((move.before and key[1] == move.before) or (move.after and key[2] == move.after))
        )
        groups[next(whole, (move.update.source, move.before, move.after))].append(move)
    return groups


def _news(
    source: str,
    old: str | None,
    new: str | None,
    moves: list[_Move],
    fetch: Callable[[Package], None],
    store: Store,
) -> News:
    updates = tuple(sorted((move.update for move in moves), key=lambda update: update.name))
    if old is None or new is None:
        return News(source, old, new, packages=updates)
    missing = "its packages carry no changelog"
    try:
        back = compare(new, old) < 0
        debs = {move.old if back else move.new for move in moves} - {None}
        after, until = (new, old) if back else (old, new)
        waiting = sorted(filter(None, debs), key=lambda package: (package.size, package))
        for _ in range(_TRIES):
            if not waiting:
                break
            package = waiting.pop(0)
            fetch(package)
            deb = store.path(package.sha256)
            text = changelog.read(deb, package.name)
            if text and (found := changelog.entries(text, after, until)):
                return News(source, old, new, found, packages=updates)
            if text:
                missing = "its changelog has no entry between these versions"
            elif other := changelog.documented_by(deb, package.name):
                waiting.sort(key=lambda package: package.name != other)
    except (UserError, ValueError, OSError) as error:
        missing = line(str(error))
    return News(source, old, new, missing=missing, packages=updates)


def _by_number(cve: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", cve))
