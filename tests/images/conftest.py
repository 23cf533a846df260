"""A base from the real archive, and a small archive of packages that do what packages may do."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

import gitops
from gitops.debian.mirrors import host_archives
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.images.build import Built, build
from gitops.images.identity import identities, references
from gitops.render.dockerfile import dockerfile
from gitops.render.recipe import recipe
from gitops.system.places import Places
from gitops.system.progress import Progress, silent
from tests.archive import TestArchive
from tests.images.fleets import Locks, fleet, lock, of, places_below

BASE = {"from": "scratch", "archive": "trixie"}


@dataclass(frozen=True)
class Yard:
    """Where a test builds: a fleet with a base that exists, and packages to put on it."""

    root: Path
    name: str
    archives: dict[str, Any]
    own: TestArchive
    places: Places
    base: Locks

    def fleet(self, **images: dict[str, object]) -> Fleet:
        """Make a fleet of the base and these images; their packages come from the small archive."""
        own = {
            name: {"from": "base", "archives": ["own"], **definition} for name, definition in images.items()
        }
        return fleet(self.root, self.archives, {"base": BASE, **own}, self.name)

    def lock(self, fleet: Fleet) -> Locks:
        """Lock a fleet's images but for the base, whose lock stays."""
        return lock(fleet, self.places, self.base, *(set(fleet.images) - {"base"}))

    def references(self, fleet: Fleet, locks: Locks) -> dict[tuple[str, str], str]:
        """Name a fleet's images."""
        return references(fleet, identities(fleet, locks, recipe(self.root)))

    def build(
        self,
        fleet: Fleet,
        *names: str,
        again: bool = False,
        locks: Locks | None = None,
        progress: Progress = silent,
    ) -> dict[str, Built]:
        """Build images, or all, and give what came of each."""
        made = locks or self.lock(fleet)
        known = self.references(fleet, made)
        done = build(
            fleet,
            made,
            names or None,
            "amd64",
            dockerfile=lambda image: dockerfile(fleet, image, "amd64", known),
            references=known,
            engine=Docker(),
            places=self.places,
            progress=progress,
            again=again,
        )
        return {one.image: one for one in done}


@pytest.fixture(scope="session")
def shared_cache() -> Path:
    """A cache that outlives the tests, so that the real archive's packages are fetched once."""
    own = Path(gitops.__file__).parent.parent / ".make" / "test-cache"
    return Path(os.environ.get("GITOPS_CACHE") or own)


@pytest.fixture(scope="session")
def session_yard(
    tmp_path_factory: pytest.TempPathFactory,
    new_archive: Callable[[], TestArchive],
    shared_cache: Path,
    api: APIClient,
) -> Iterator[Yard]:
    """Build the base once."""
    root, own, mirror = tmp_path_factory.mktemp("fleet"), new_archive(), host_archives().debian
    assert mirror, "the host's apt configuration names no Debian mirror"
    own.add_package("plain", "1.0", files={"/usr/share/plain/file": "plain"})
    own.publish()
    archives = {"trixie": {"mirror": mirror, "suites": ["trixie"]}, "own": of(own)}
    name, places = f"test-{uuid.uuid4().hex[:8]}", places_below(root, shared_cache)
    yard = Yard(root, name, archives, own, places, {})
    yard = replace(yard, base=lock(yard.fleet(), places))
    try:
        yard.build(yard.fleet())
        yield yard
    finally:
        for image in api.images(filters={"reference": f"{name}/*"}):
            for tag in image["RepoTags"]:
                api.remove_image(tag, force=True)


@pytest.fixture
def yard(session_yard: Yard, tmp_path: Path) -> Yard:
    """The base, with a directory for the files of one test's images."""
    return replace(session_yard, root=tmp_path)


@pytest.fixture
def read() -> Callable[[Built, str], str]:
    """Read a file of an image."""
    return lambda built, path: Docker().read_file(built.reference, path).decode()
