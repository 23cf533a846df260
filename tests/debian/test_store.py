"""A .deb is in the store whole and verified, or not at all."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

import pytest

from gitops.debian.packages import Package
from gitops.debian.store import Store
from gitops.system.errors import UserError
from tests.archive import TestArchive
from tests.debian.conftest import Refresh, contents


@pytest.fixture
def packages(archive: TestArchive, refreshed: Refresh) -> list[Package]:
    for number in range(12):
        archive.add_package(f"tool{number:02}", f"1:{number}+b~1")
    archive.publish()
    indexes = refreshed()
    return [package for name in sorted(indexes.names()) for package in indexes.candidates(name)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def mirrors(archive: TestArchive) -> Mapping[str, list[str]]:
    return {"test": [f"{archive.mirror}/"]}


def test_debs_are_fetched_once_and_verified(
    archive: TestArchive, packages: list[Package], store: Store, mirrors: Mapping[str, list[str]]
) -> None:
    lock, received = Lock(), [0]

    def progress(count: int) -> None:
        with lock:
            received[0] += count

    assert store.missing(packages + packages) == packages
    store.fetch(packages, mirrors, progress=progress)
    assert store.missing(packages) == []
    assert received == [sum(package.size for package in packages)]
    for package in packages:
        assert store.path(package.sha256).read_bytes() == (archive.root / package.path).read_bytes()
    archive.requests.clear()
    store.fetch(packages, mirrors)
    assert archive.requests == []


def test_a_directory_serves_debs_too(archive: TestArchive, packages: list[Package], store: Store) -> None:
    store.fetch(packages, {"test": [f"file://{archive.root}"]})
    assert store.missing(packages) == []


def test_the_next_mirror_is_tried(archive: TestArchive, packages: list[Package], store: Store) -> None:
    elsewhere = [f"{archive.mirror}/empty", "http://127.0.0.1:9", archive.mirror]
    store.fetch(packages, {"test": elsewhere})
    assert store.missing(packages) == []


def test_a_tampered_deb_is_named_and_the_others_are_kept(
    archive: TestArchive, packages: list[Package], store: Store, mirrors: Mapping[str, list[str]]
) -> None:
    deb = archive.root / packages[3].path
    good = deb.read_bytes()
    deb.write_bytes(good[:-1] + b"!")
    with pytest.raises(UserError, match=r"tool03.*is not what the lock of tool03 1:3\+b~1 promises") as error:
        store.fetch(packages, mirrors)
    assert len(error.value.problems) == 1
    assert store.missing(packages) == [packages[3]]
    assert len(contents(store.root)) == len(packages) - 1
    deb.write_bytes(good)
    store.fetch(packages, mirrors)
    assert store.missing(packages) == []


def test_a_version_that_left_the_mirror_is_named_with_the_way_on(
    archive: TestArchive, packages: list[Package], store: Store, mirrors: Mapping[str, list[str]]
) -> None:
    archive.remove("tool05")
    archive.remove("tool07")
    with pytest.raises(UserError) as error:
        store.fetch(packages, mirrors)
    assert [problem.message.partition(" has ")[0] for problem in error.value.problems] == [
        "1:5+b~1 of tool05",
        "1:7+b~1 of tool07",
    ]
    assert "gitops lock" in error.value.problems[0].hint
    assert store.missing(packages) == [packages[5], packages[7]]


def test_a_deb_cut_short_on_disk_is_fetched_again(
    packages: list[Package], store: Store, mirrors: Mapping[str, list[str]]
) -> None:
    store.fetch(packages, mirrors)
    store.path(packages[0].sha256).write_bytes(b"!<arch>")
    assert store.missing(packages) == [packages[0]]
    store.fetch(packages, mirrors)
    assert store.missing(packages) == []


def test_an_interrupted_download_leaves_no_part_and_carries_on(
    packages: list[Package], store: Store, mirrors: Mapping[str, list[str]]
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch(packages, mirrors, progress=interrupt)
    assert contents(store.root) == {}
    store.fetch(packages, mirrors)
    assert store.missing(packages) == []
