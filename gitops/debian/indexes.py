"""What suites offer, as their verified indexes have it."""

from dataclasses import dataclass, field
from pathlib import Path

from gitops.debian.packages import Package, PackageList, fields, package, package_list
from gitops.debian.release import Release
from gitops.debian.sources import Source


@dataclass(frozen=True)
class Index:
    """One verified Packages file.

    Args:
        source: where it is from.
        component: of the source.
        architecture: that it is for, or all.
        path: where it is; its name is its hash.
    """

    source: Source
    component: str
    architecture: str
    path: Path

    @property
    def packages(self) -> PackageList:
        """What is in it."""
        return package_list(self.path)


@dataclass(frozen=True)
class Indexes:
    """All that some sources offer for one architecture.

    Args:
        sources: the sources; among equal versions, the first source's is taken.
        architecture: Debian's name for it.
        releases: what the InRelease of each source says, in the same order.
        lists: their indexes, in the same order.
    """

    sources: tuple[Source, ...]
    architecture: str
    releases: tuple[Release, ...]
    lists: tuple[Index, ...]
    _candidates: dict[str, tuple[Package, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a package of that name."""
        return any(name in index.packages for index in self.lists)

    def candidates(self, name: str) -> list[Package]:
        """Give every version of a package in every suite, in the order of the sources."""
        found = self._candidates.get(name)
        if found is None:
            # Hundreds of images ask for the same few hundred names.
            found = self._candidates[name] = tuple(
                package(stanza, index.source.archive, index.source.suite)
                for index in self.lists
                for stanza in index.packages.stanzas(name)
            )
        return list(found)

    def find(self, name: str, version: str, architecture: str) -> Package | None:
        """Find one version of a package; None when no suite has it."""
        wanted = (version, architecture)
        found = (each for each in self.candidates(name) if (each.version, each.architecture) == wanted)
        return next(found, None)

    def stanza(self, package: Package) -> str | None:
        """Give the control stanza of a locked package, as its Packages file has it; None when it has left."""
        for index in self.lists:
            for stanza in index.packages.stanzas(package.name):
                values = fields(stanza)
                if (values["Version"], values["SHA256"]) == (package.version, package.sha256):
                    return stanza
        return None

    def names(self) -> set[str]:
        """Give the name of every package."""
        return {name for index in self.lists for name in index.packages.names()}

    def essential(self) -> set[str]:
        """Give the name of every Essential package."""
        return {name for index in self.lists for name in index.packages.essential}
