"""The fleet as a value: every definition, read and checked, and the questions that other rooms ask."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gitops.fleet.hosts import Host
from gitops.fleet.images import Image
from gitops.fleet.instances import AppDefinition, Instance, instantiate
from gitops.fleet.settings import Settings
from gitops.system.errors import UserError

__all__ = ["AppDefinition", "Fleet", "Instance", "layers"]


@dataclass(frozen=True, eq=False)
class Fleet:
    """Everything that a fleet's definitions say.

    Args:
        root: the directory that holds fleet.yaml.
        settings: fleet.yaml.
        images: by name, sorted.
        apps: by name, sorted; as written, since their parameters have values only in an instance.
        hosts: by name, sorted.
        secrets: names of the encrypted values in secrets/.
    """

    root: Path
    settings: Settings
    images: dict[str, Image]
    apps: dict[str, AppDefinition]
    hosts: dict[str, Host]
    secrets: frozenset[str] = frozenset()
    _made: dict[tuple[str, str], Instance] = field(default_factory=dict, init=False, repr=False)
    _architectures: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)

    def instances(self, host: str) -> dict[str, Instance]:
        """Give the instances that a host runs, by name, sorted."""
        return {name: self.instance(host, name) for name in sorted(self._host(host).instances)}

    def instance(self, host: str, name: str) -> Instance:
        """Give one instance of a host, its app's parameters filled in; made when it is first asked for.

        Raises:
            UserError: there is no such host, or no such instance on it.
        """
        placement = self._host(host).instances.get(name)
        if placement is None:
            raise UserError(f"{host} runs no instance {name}", hint=_known(self._host(host).instances))
        made = self._made.get((host, name))
        if made is None:
            app = self.apps[placement.app]
            made = instantiate(app, placement, name=name, host=host, fleet=self.settings.name)
            self._made[host, name] = made
        return made

    def parents_first(self, names: Iterable[str] | None = None) -> list[str]:
        """Give images so that each comes after the one below it; the same order every time.

        Args:
            names: these and those below them; every image when None.

        Raises:
            UserError: a name is no image's.
        """
        ordered: dict[str, None] = {}
        for name in sorted(self.images if names is None else names):
            line = []
            below = name
            while below != "scratch" and below not in ordered:
                line.append(below)
                below = self.image(below).parent
            ordered.update(dict.fromkeys(reversed(line)))
        return list(ordered)

    def image(self, name: str) -> Image:
        """Give an image.

        Raises:
            UserError: there is none of this name.
        """
        if name not in self.images:
            raise UserError(f"there is no image {name}", hint=_known(self.images))
        return self.images[name]

    def children(self, image: str) -> tuple[str, ...]:
        """Give the images that stand directly on an image, sorted."""
        return tuple(sorted(name for name, each in self.images.items() if each.parent == image))

    def archives_of(self, image: str) -> tuple[str, ...]:
        """Give the archives of an image: those of the images below it first, then its own, each once."""
        archives: tuple[str, ...] = ()
        while image != "scratch":
            archives = self.image(image).own_archives + archives
            image = self.image(image).parent
        return tuple(dict.fromkeys(archives))

    def architectures_of(self, image: str) -> tuple[str, ...]:
        """Give the architectures that every archive of an image has, in the order of its first archive."""
        found = self._architectures.get(image)
        if found is None:
            first, *others = (self.settings.archives[name].architectures for name in self.archives_of(image))
            found = tuple(dict.fromkeys(each for each in first if all(each in other for other in others)))
            self._architectures[image] = found
        return found

    def _host(self, name: str) -> Host:
        if name not in self.hosts:
            raise UserError(f"there is no host {name}", hint=_known(self.hosts))
        return self.hosts[name]


def layers(fleet: Fleet) -> list[list[str]]:
    """Give images by their depth in the graph of parents: bases first, then what stands on them, and so on.

    No image of a layer stands on another one of it, nor on one of a later layer; each layer is sorted.
    """
    depths = {"scratch": -1}
    found: list[list[str]] = []
    for name in fleet.parents_first():
        depths[name] = depths[fleet.images[name].parent] + 1
        if depths[name] == len(found):
            found.append([])
        found[depths[name]].append(name)
    return [sorted(layer) for layer in found]


def _known(names: Iterable[str]) -> str:
    return f"known: {', '.join(sorted(names)) or 'none'}"
