"""What two states of the locks differ in, package by package, so that any part of it can be taken."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gitops.debian.packages import Package
from gitops.images.lock import Lock
from gitops.images.locks import Locks

Key = tuple[str, str]
"""Image and architecture."""

_SECURITY = re.compile(r"(^|[-/_.])security($|[-/_.])")


@dataclass(frozen=True, order=True)
class Difference:
    """One package of one lock that is to be another one.

    Args:
        key: image and architecture.
        name: the binary package.
        old: the line it has; None where it comes in.
        new: the line it is to have; None where it goes.
    """

    key: Key
    name: str
    old: Package | None
    new: Package | None

    @property
    def package(self) -> Package:
        """Its new line, or the old one where it goes."""
        if (package := self.new or self.old) is None:
            raise ValueError(f"{self.name} is neither there nor to be there")
        return package

    @property
    def is_security(self) -> bool:
        """Tell whether it comes from a security suite, which one knows by its name (`trixie-security`)."""
        return self.new is not None and bool(_SECURITY.search(self.new.suite))


def differences(old: Locks, new: Mapping[Key, Lock]) -> frozenset[Difference]:
    """Compare locks, line by line."""
    found = set()
    for key, lock in new.items():
        before = {package.name: package for package in old[key].packages}
        after = {package.name: package for package in lock.packages}
        found |= {
            Difference(key, name, before.get(name), after.get(name))
            for name in before.keys() | after.keys()
            if before.get(name) != after.get(name)
        }
    return frozenset(found)


def take(old: Locks, some: Iterable[Difference]) -> dict[Key, Lock]:
    """Give the locks that change when some differences are taken, and only those."""
    by_key: defaultdict[Key, list[Difference]] = defaultdict(list)
    for each in some:
        by_key[each.key].append(each)
    made = {}
    for key, moved in by_key.items():
        packages = {package.name: package for package in old[key].packages}
        for each in moved:
            if each.new is None:
                del packages[each.name]
            else:
                packages[each.name] = each.new
        made[key] = replace(old[key], packages=tuple(sorted(packages.values())))
    return made
