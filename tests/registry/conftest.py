"""A fleet of three images with a part of the registry of its own."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import ImageNotFound

from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.images.identity import identities, references
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import lock_path, request_of
from gitops.images.pull import Supply
from gitops.images.push import Push, Pushed
from gitops.registry.registry import Registry, connect
from gitops.registry.transport import Patience
from gitops.render.recipe import recipe
from gitops.system.files import write
from gitops.system.places import Places
from gitops.system.progress import silent
from tests.registry_fixtures import Key, RegistryServer, new_key

IMAGES = {
    "base": "from: scratch\narchive: a\n",
    "web": "from: base\n",
    "leaf": "from: web\n",
}
HASTE = Patience(attempts=2, first_wait=0.01, connect_within=30, answer_within=30)


@dataclass
class Dock:
    """A fleet whose images base, web (on base) and leaf (on web) are pushed and pulled."""

    server: RegistryServer
    places: Places
    fleet: Fleet
    locks: dict[tuple[str, str], Lock]
    names: dict[str, str]
    registry: Registry
    key: Key
    signers: Path
    api: APIClient
    ship: Callable[..., str]
    told: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def build(self, *images: str, mark: str = "") -> list[str]:
        """Make images, or all; give their ids."""
        return [self.ship(self.names[image], f"{self.names[image]} {mark}") for image in images or self.names]

    def push(self, *images: str, key: Key | None = None, again: bool = False) -> list[Pushed]:
        """Push images, or all."""
        signing = (key or self.key).path
        work = Push(
            self.fleet,
            "amd64",
            self.names,
            Docker(),
            self.registry,
            signing,
            silent,
            self.told.append,
            again=again,
        )
        return work.run(images or self.names)

    def forget(self, *images: str) -> None:
        """Take images, or all, away from the engine."""
        for image in images or reversed(list(self.names)):
            with contextlib.suppress(ImageNotFound):
                self.api.remove_image(self.names[image], force=True)

    def pull(self, *images: str, there: tuple[str, ...] = (), parents_only: bool = False) -> set[str]:
        """Take images, or all, out of the registry."""
        supply = Supply(
            self.fleet,
            self.locks,
            {(image, "amd64"): name for image, name in self.names.items()},
            Docker(),
            self.registry,
            self.signers,
            parents_only,
            self.told.append,
            self.refused.__setitem__,
            silent,
        )
        return supply.obtain(images or list(self.names), there, "amd64")

    def id_of(self, image: str) -> str:
        """Give the id of an image by its name, or nothing."""
        return Docker().identify(self.names[image])

    @contextlib.contextmanager
    def moved(self, server: RegistryServer) -> Iterator["Dock"]:
        """Give the same fleet with another registry, where its user is logged in."""
        name = f"{server.host}/{self.fleet.settings.name}"
        places = server.places(self.places.state.parent.with_name("elsewhere"))
        names = {image: f"{name}/{image}:{old.rpartition(':')[2]}" for image, old in self.names.items()}
        with connect(name, places, HASTE) as registry:
            yield replace(self, server=server, places=places, names=names, registry=registry)

    def seize(self, image: str) -> None:
        """Put what the engine has into the registry without gitops, as whoever has the password can."""
        repository, _, tag = self.names[image].rpartition(":")
        credential = self.registry.credential()
        assert credential
        self.api.push(repository, tag, auth_config=credential.for_engine())

    def refusal(self, image: str) -> str:
        """Pull an image that must be refused; give why."""
        self.forget(image)
        assert image not in self.pull(image)
        assert self.id_of(image) == ""
        assert any("built here instead" in line for line in self.told)
        return self.refused[self.names[image]]

    @property
    def repository(self) -> str:
        """The repository of web."""
        return self.registry.address.repository("web")

    def identity(self, image: str) -> str:
        """Give an image's identity."""
        return self.names[image].rpartition(":")[2]


@pytest.fixture
def dock(
    registry_server: RegistryServer, tmp_path: Path, api: APIClient, ship: Callable[..., str]
) -> Iterator[Dock]:
    """A fleet of one test's own."""
    name, root = f"test-{uuid.uuid4().hex[:8]}", tmp_path / "fleet"
    registry = f"{registry_server.host}/{name}"
    archive = "{mirror: 'http://mirror.example.org/debian', suites: [trixie]}"
    write(root / "fleet.yaml", f"name: {name}\nregistry: '{registry}'\narchives: {{a: {archive}}}\n")
    for image, text in IMAGES.items():
        write(root / "images" / f"{image}.yaml", text)
    fleet = load(root)
    locks = {(image, "amd64"): Lock(image, "amd64", request_of(fleet, image), ()) for image in IMAGES}
    for lock in locks.values():
        write(lock_path(root, lock.image, lock.architecture), format_lock(lock))
    called = references(fleet, identities(fleet, locks, recipe(root)))
    key = new_key(tmp_path, "ci")
    signers = tmp_path / "signers"
    signers.write_text(key.line)
    places = registry_server.places(tmp_path / "host")
    with connect(registry, places, HASTE) as reached:
        made = Dock(
            registry_server,
            places,
            fleet,
            locks,
            {image: called[image, "amd64"] for image in IMAGES},
            reached,
            key,
            signers,
            api,
            ship,
        )
        yield made
    made.forget()
