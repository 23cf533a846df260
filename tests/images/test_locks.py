"""Locks that do not fit are told; an image's closure is its own and its parents' packages."""

from dataclasses import replace
from pathlib import Path

import pytest

from gitops.fleet.fleet import Fleet
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import closure, left_over, lock_path, missing_or_stale, read_locks, request_of
from gitops.system.errors import UserError
from tests.images.fleets import Locks, fleet
from tests.images.test_lock import package

IMAGES = {
    "base": {"from": "scratch", "archive": "a", "packages": ["tini"]},
    "web": {"from": "base", "packages": ["nginx"]},
}
ARCHIVES = {"a": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}}


@pytest.fixture
def small(tmp_path: Path) -> Fleet:
    return fleet(tmp_path, ARCHIVES, IMAGES)


@pytest.fixture
def locks(small: Fleet) -> Locks:
    return {
        ("base", "amd64"): Lock("base", "amd64", request_of(small, "base"), (package("tini"),)),
        ("web", "amd64"): Lock("web", "amd64", request_of(small, "web"), (package("nginx"),)),
    }


def write(small: Fleet, locks: Locks) -> None:
    (small.root / "locks").mkdir(exist_ok=True)
    for (image, architecture), lock in locks.items():
        lock_path(small.root, image, architecture).write_text(format_lock(lock))


def test_locks_on_disk_are_read_and_fit(small: Fleet, locks: Locks) -> None:
    write(small, locks)
    assert read_locks(small) == locks
    assert missing_or_stale(small, locks) == []


def test_a_missing_lock_is_told_with_the_command_that_makes_it(small: Fleet, locks: Locks) -> None:
    del locks["web", "amd64"]
    (problem,) = missing_or_stale(small, locks)
    assert problem.file == "locks/web.amd64.lock"
    assert problem.hint == "run gitops lock web"
    with pytest.raises(UserError, match="is missing"):
        closure(small, locks, "web", "amd64")


@pytest.mark.parametrize(
    "change",
    [{"packages": ["nginx", "curl"]}, {"recommends": True}, {"archives": ["b"]}, {"from": "other"}],
)
def test_a_lock_of_another_definition_is_stale(small: Fleet, locks: Locks, change: dict[str, object]) -> None:
    images = {**IMAGES, "web": {**IMAGES["web"], **change}, "other": IMAGES["base"]}
    changed = fleet(small.root, {**ARCHIVES, "b": ARCHIVES["a"]}, images)
    locks["other", "amd64"] = replace(locks["base", "amd64"], image="other")
    assert [problem.file for problem in missing_or_stale(changed, locks)] == ["locks/web.amd64.lock"]


def test_the_order_of_packages_and_more_suites_make_no_lock_stale(small: Fleet, locks: Locks) -> None:
    archives = {"a": {**ARCHIVES["a"], "suites": ["trixie", "trixie-updates"]}}
    assert missing_or_stale(fleet(small.root, archives, IMAGES), locks) == []


def test_a_lock_that_repeats_its_parents_package_is_stale(small: Fleet, locks: Locks) -> None:
    locks["web", "amd64"] = replace(
        locks["web", "amd64"], packages=(package("nginx"), package("tini", "2.0-1"))
    )
    (problem,) = missing_or_stale(small, locks)
    assert problem.message == "has tini, which base has already"


def test_every_broken_lock_is_told_at_once_unless_it_is_to_be_written_anew(
    small: Fleet, locks: Locks
) -> None:
    write(small, locks)
    for path in (small.root / "locks").iterdir():
        path.write_text("no lock")
    with pytest.raises(UserError) as error:
        read_locks(small)
    assert [problem.file for problem in error.value.problems] == [
        "locks/base.amd64.lock",
        "locks/web.amd64.lock",
    ]
    assert read_locks(small, broken_too=False) == {}


def test_a_closure_is_the_parents_and_the_own_packages(small: Fleet, locks: Locks) -> None:
    assert closure(small, locks, "base", "amd64") == (package("tini"),)
    assert closure(small, locks, "web", "amd64") == (package("nginx"), package("tini"))


def test_locks_of_images_that_are_gone_are_left_over(small: Fleet, locks: Locks) -> None:
    write(small, locks)
    lock_path(small.root, "base", "arm64").touch()
    lock_path(small.root, "gone", "amd64").touch()
    assert [path.name for path in left_over(small)] == ["base.arm64.lock", "gone.amd64.lock"]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_lock_that_is_no_text_is_told_by_its_name(
    small: Fleet, locks: Locks, content: bytes | None
) -> None:
    write(small, locks)
    path = lock_path(small.root, "web", "amd64")
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"^locks/web\.amd64\.lock: (is not UTF-8|cannot be read)"):
        read_locks(small)
