"""What new locks change: which packages, which images, which instances on which hosts. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitops.fleet.fleet import Fleet
from gitops.images.lock import Lock, changes
from gitops.images.locks import Locks


@dataclass(frozen=True)
class PackageUpdate:
    """One package that moves from one version to another, wherever it does.

    Args:
        source: its source package, by which people know an update.
        name: the binary package.
        old: its version up to now; None where it comes in as a new dependency.
        new: its version from now on; None where it goes.
        suite: `archive/suite` that the new version comes from, or the old one where it goes.
        images: the images whose lock names it.
        instances: `instance@host` where it runs, in an image that stands on one of them too.
    """

    source: str
    name: str
    old: str | None
    new: str | None
    suite: str
    images: tuple[str, ...]
    instances: tuple[str, ...]


@dataclass(frozen=True)
class Rebuild:
    """An image that is built again.

    Args:
        image: its name.
        architectures: for which.
        parent: the parent because of which alone it is built again; None where its own packages change.
    """

    image: str
    architectures: tuple[str, ...]
    parent: str | None


@dataclass(frozen=True, order=True)
class Place:
    """Services of one instance on one host.

    Args:
        host: the host.
        instance: the instance.
        services: some of its services.
        app: what the instance is a copy of.
        batch: how many of the app's instances on the host change side by side.
    """

    host: str
    instance: str
    services: tuple[str, ...]
    app: str
    batch: int


@dataclass(frozen=True)
class Effect:
    """All that new locks change, and what they leave alone.

    Args:
        packages: sorted by source, then name.
        rebuilt: parents first.
        restarted: the services whose container is replaced.
        kept_images: images that stay as they are.
        kept: the services that go on running.
    """

    packages: tuple[PackageUpdate, ...]
    rebuilt: tuple[Rebuild, ...]
    restarted: tuple[Place, ...]
    kept_images: tuple[str, ...]
    kept: tuple[Place, ...]


@dataclass(frozen=True)
class _Service:
    """A service of an instance, and the image and architecture it runs."""

    host: str
    instance: str
    service: str
    app: str
    batch: int
    image: tuple[str, str]


def effect(fleet: Fleet, old: Locks, new: Locks) -> Effect:
    """Tell what changes when new locks take the place of the old ones.

    Args:
        fleet: the definitions.
        old: every lock as it is.
        new: the locks that are replaced.
    """
    services = tuple(_services(fleet))
    own = {key for key, lock in new.items() if _content(lock) != _content(old[key])}
    moved = _with_descendants(fleet, own)
    names = {image for image, _ in moved}
    return Effect(
        packages=tuple(_packages(fleet, services, old, new)),
        rebuilt=tuple(
            Rebuild(
                image,
                tuple(sorted(architecture for name, architecture in moved if name == image)),
                None if image in {name for name, _ in own} else fleet.images[image].parent,
            )
            for image in fleet.parents_first()
            if image in names
        ),
        restarted=_places(service for service in services if service.image in moved),
        kept_images=tuple(image for image in fleet.parents_first() if image not in names),
        kept=_places(service for service in services if service.image not in moved),
    )


def _services(fleet: Fleet) -> Iterator[_Service]:
    for host in sorted(fleet.hosts):
        architecture = fleet.hosts[host].architecture
        instances = fleet.instances(host)
        copies = Counter(instance.app for instance in instances.values())
        for name, instance in sorted(instances.items()):
            batch = instance.definition.rollout.batch_of(copies[instance.app])
            for service, definition in sorted(instance.definition.services.items()):
                yield _Service(host, name, service, instance.app, batch, (definition.image, architecture))


def _content(lock: Lock) -> frozenset[tuple[str, str, str, str]]:
    """Give what of a lock decides the image; a package that only moved to another suite does not."""
    return frozenset((p.name, p.version, p.architecture, p.sha256) for p in lock.packages)


def _with_descendants(fleet: Fleet, keys: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    moved = set(keys)
    for image in fleet.parents_first():
        parent = fleet.images[image].parent
        moved |= {
            (image, architecture)
            for architecture in fleet.architectures_of(image)
            if (parent, architecture) in moved
        }
    return frozenset(moved)


def _packages(
    fleet: Fleet, services: tuple[_Service, ...], old: Locks, new: Locks
) -> Iterator[PackageUpdate]:
    found: defaultdict[tuple[str, str, str | None, str | None, str], set[tuple[str, str]]] = defaultdict(set)
    for key, lock in new.items():
        known = {p.name: p for p in (*old[key].packages, *lock.packages)}
        for change in changes(old[key].packages, lock.packages):
            package = known[change.name]
            place = f"{package.archive}/{package.suite}"
            found[package.source, change.name, change.old, change.new, place].add(key)
    reached = {}
    for keys in set(map(frozenset, found.values())):
        moved_with = _with_descendants(fleet, keys)
        reached[keys] = _places(service for service in services if service.image in moved_with)
    for moved in sorted(found, key=lambda key: tuple(part or "" for part in key)):
        keys = frozenset(found[moved])
        yield PackageUpdate(
            *moved,
            images=tuple(sorted({image for image, _ in keys})),
            instances=tuple(f"{place.instance}@{place.host}" for place in reached[keys]),
        )


def _places(services: Iterable[_Service]) -> tuple[Place, ...]:
    found: defaultdict[tuple[str, str, str, int], list[str]] = defaultdict(list)
    for service in services:
        found[service.host, service.instance, service.app, service.batch].append(service.service)
    return tuple(
        Place(host, instance, tuple(names), app, batch)
        for (host, instance, app, batch), names in sorted(found.items())
    )
