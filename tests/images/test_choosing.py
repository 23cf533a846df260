"""One image at a time, from one state of the archives, however many ask."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitops.images.choosing import Chooser
from gitops.images.locks import rounds
from gitops.system.errors import UserError
from gitops.system.places import Places
from tests.archive import TestArchive
from tests.images.fleets import fleet, lock, of, places_below

IMAGES = {
    "base": {"from": "scratch", "archive": "test"},
    "web": {"from": "base", "packages": ["web"]},
    "site": {"from": "web"},
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_below(tmp_path / "places", tmp_path / "cache")


@pytest.fixture
def published(archive: TestArchive) -> TestArchive:
    for name in ("apt", "web", "lib"):
        archive.add_package(name, "1.0", essential=name == "lib")
    archive.publish()
    return archive


def test_what_is_chosen_is_what_locking_has(tmp_path: Path, published: TestArchive, places: Places) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    locks = lock(made, places)
    chooser = Chooser(made, places)
    assert {key: chooser.choose(key, locks) for key in locks} == locks


def test_all_that_is_chosen_is_of_one_state_of_the_archives(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    chooser = Chooser(made, places)
    below = {("base", "amd64"): chooser.choose(("base", "amd64"), {})}
    published.add_package("web", "2.0")
    published.publish()
    published.requests.clear()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: chooser.choose(("web", "amd64"), below), range(4)))
    assert {package.version for made in found for package in made.packages} == {"1.0"}
    assert published.requests == []


def test_a_parent_without_a_lock_is_named(tmp_path: Path, published: TestArchive, places: Places) -> None:
    chooser = Chooser(fleet(tmp_path, {"test": of(published)}, IMAGES), places)
    with pytest.raises(UserError, match=r"locks/base\.amd64\.lock"):
        chooser.choose(("web", "amd64"), {})


def test_a_package_is_known_from_the_index_the_deb_or_not_at_all(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    [lib] = [package for package in lock(made, places)["base", "amd64"].packages if package.name == "lib"]
    assert "Filename" in (Chooser(made, places).stanza(lib, "base", "amd64") or "")
    content = (published.root / lib.path).read_bytes()
    published.remove("lib")
    published.add_package("lib", "2.0", essential=True)
    published.publish()
    assert Chooser(made, places).stanza(lib, "base", "amd64") is None
    (published.root / lib.path).write_bytes(content)
    assert "Version: 1.0" in (Chooser(made, places).stanza(lib, "base", "amd64") or "")


def test_no_round_stands_on_itself_or_a_later_one(tmp_path: Path, published: TestArchive) -> None:
    images = {**IMAGES, "other": {"from": "scratch", "archive": "test"}, "top": {"from": "other"}}
    names = [
        [image for image, _ in each] for each in rounds(fleet(tmp_path, {"test": of(published)}, images))
    ]
    assert [sorted(each) for each in names] == [["base", "other"], ["top", "web"], ["site"]]
