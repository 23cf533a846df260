"""apt chooses, the lock records: the same archive gives the same bytes, and a failure writes nothing."""

import os
from pathlib import Path
from threading import Barrier

import pytest

from gitops.images.locking import lock_images, write_locks
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import Amount, silent
from tests.archive import TestArchive
from tests.images.fleets import Locks, fleet, lock, of, places_below

IMAGES: dict[str, dict[str, object]] = {
    "base": {"from": "scratch", "archive": "test", "packages": ["tini"]},
    "web": {"from": "base", "packages": ["nginx"], "recommends": True},
    "files": {"from": "web", "packages": []},
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_below(tmp_path)


@pytest.fixture
def published(archive: TestArchive) -> TestArchive:
    archive.add_package("apt", "3.0")
    archive.add_package("base-files", "13", essential=True, depends="libc")
    archive.add_package("libc", "2.41")
    archive.add_package("tini", "0.19")
    archive.add_package("nginx", "1.26", depends="libssl, libc", fields={"Recommends": "logrotate"})
    archive.add_package("libssl", "3.5")
    archive.add_package("logrotate", "3.22")
    archive.publish()
    return archive


def names(locks: Locks, image: str, architecture: str = "amd64") -> list[str]:
    return [package.name for package in locks[image, architecture].packages]


def test_a_base_is_the_essential_packages_and_apt_and_what_was_asked_for(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    locks = lock(fleet(tmp_path, {"test": of(published)}, IMAGES), places)
    assert names(locks, "base") == ["apt", "base-files", "libc", "tini"]


def test_a_child_has_what_it_adds_and_an_image_of_files_nothing(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    locks = lock(fleet(tmp_path, {"test": of(published)}, IMAGES), places)
    assert names(locks, "web") == ["libssl", "logrotate", "nginx"]
    assert names(locks, "files") == []


def test_locking_again_changes_no_byte_and_not_even_a_files_time(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    assert len(write_locks(tmp_path, lock(made, places))) == 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "locks").iterdir()}
    assert write_locks(tmp_path, lock(made, places)) == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "locks").iterdir()} == before


def test_every_architecture_has_a_lock_of_its_own(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    published.add_package("nginx", "1.27", architecture="arm64")
    published.publish()
    made = fleet(tmp_path, {"test": of(published, architectures=["amd64", "arm64"])}, IMAGES)
    locks = lock(made, places)
    assert names(locks, "web", "arm64") == ["nginx"]
    assert names(locks, "web", "amd64") == ["libssl", "logrotate", "nginx"]


def test_a_new_version_moves_the_images_that_contain_it_and_no_other(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    write_locks(tmp_path, lock(made, places))
    published.add_package("libssl", "3.6")
    published.publish()
    assert write_locks(tmp_path, lock(made, places)) == [tmp_path / "locks/web.amd64.lock"]


def test_when_a_parent_gains_a_package_its_children_lose_it(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    archives = {"test": of(published)}
    locks = lock(fleet(tmp_path, archives, IMAGES), places)
    grown = {**IMAGES, "base": {**IMAGES["base"], "packages": ["libssl", "tini"]}}
    locks = lock(fleet(tmp_path, archives, grown), places, locks, "base")
    assert "libssl" in names(locks, "base")
    assert names(locks, "web") == ["logrotate", "nginx"]


def test_locking_a_child_leaves_a_parent_that_fits_as_it_is(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    locks = lock(made, places)
    published.add_package("tini", "0.20")
    published.add_package("libssl", "3.6")
    published.publish()
    assert set(lock_images(made, locks, ["web"], places=places, progress=silent)) == {
        ("web", "amd64"),
        ("files", "amd64"),
    }


def test_a_parents_package_that_left_the_archive_is_known_from_its_deb(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    made = fleet(tmp_path, {"test": of(published)}, IMAGES)
    locks = lock(made, places)
    kept = published.pool() / "libc_2.41_all.deb"
    content = kept.read_bytes()
    published.remove("libc")
    published.add_package("libc", "2.42")
    published.publish()
    kept.write_bytes(content)  # a mirror keeps a file some time after its index forgot it
    assert names(lock(made, places, locks, "web"), "web") == ["libssl", "logrotate", "nginx"]


def test_all_that_cannot_be_had_is_told_by_image_at_once(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    images = {
        **IMAGES,
        "web": {"from": "base", "packages": ["ngin"]},
        "db": {"from": "base", "packages": ["mariadb"]},
    }
    with pytest.raises(UserError) as error:
        lock(fleet(tmp_path, {"test": of(published)}, images), places)
    assert [problem.file for problem in error.value.problems] == ["images/db.yaml", "images/web.yaml"]
    assert "did you mean nginx?" in str(error.value)


def test_an_archive_that_cannot_be_trusted_is_told_once_and_is_no_images_fault(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    inrelease = published.inrelease()
    inrelease.write_text(inrelease.read_text().replace("Origin: Test", "Origin: Evil"))
    with pytest.raises(UserError) as error:
        lock(fleet(tmp_path, {"test": of(published)}, IMAGES), places)
    (problem,) = error.value.problems
    assert "images/" not in problem.file


def test_images_that_do_not_stand_on_each_other_are_chosen_at_the_same_time(
    tmp_path: Path, published: TestArchive, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    together = Barrier(2, timeout=30)

    def progress(image: str, doing: str, _: Amount | None = None, /) -> None:
        if doing.startswith("choosing") and image != "base":
            together.wait()  # neither goes on before both are being chosen

    images = {name: {**IMAGES["web"], "from": "base"} for name in ("one", "two")}
    made = fleet(tmp_path, {"test": of(published)}, {"base": IMAGES["base"], **images})
    locks = lock_images(made, {}, places=places, progress=progress)
    assert [image for image, _ in locks] == ["base", "one", "two"]


def test_two_archives_with_a_pin_give_the_pinned_version(
    tmp_path: Path, published: TestArchive, places: Places
) -> None:
    published.add_package("nginx", "9.9", suite="own")
    published.publish("own")
    archives = {
        "test": of(published),
        "own": of(published, "own", pins=[{"package": "nginx", "pin": "release n=trixie", "priority": 900}]),
    }
    images = {**IMAGES, "web": {**IMAGES["web"], "archives": ["own"]}}
    pinned = lock(fleet(tmp_path, archives, images), places)
    assert {p.version for p in pinned["web", "amd64"].packages if p.name == "nginx"} == {"1.26"}
    archives["own"]["pins"] = []
    free = lock(fleet(tmp_path, archives, images), places)
    assert {(p.version, p.archive) for p in free["web", "amd64"].packages if p.name == "nginx"} == {
        ("9.9", "own")
    }


def test_locks_are_written_all_or_not_at_all(tmp_path: Path, published: TestArchive, places: Places) -> None:
    locks = lock(fleet(tmp_path, {"test": of(published)}, IMAGES), places)
    (tmp_path / "locks/web.amd64.lock").mkdir(parents=True)
    (tmp_path / "locks/base.amd64.lock").write_text("as it was")
    with pytest.raises(OSError, match="web"):
        write_locks(tmp_path, locks)
    assert (tmp_path / "locks/base.amd64.lock").read_text() == "as it was"
    assert not (tmp_path / "locks/files.amd64.lock").exists()
