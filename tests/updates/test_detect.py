"""What counts as newer is Debian's order of versions, never that of texts."""

import hashlib
from dataclasses import replace

import pytest

from gitops.debian.packages import Package
from gitops.debian.packages import package as read_stanza
from gitops.images.lock import Lock, parse_lock
from gitops.system.errors import UserError
from gitops.updates.detect import Outdated, outdated


def package(name: str, version: str, suite: str = "trixie", content: str = "") -> Package:
    digest = hashlib.sha256(f"{name} {version} {content}".encode()).hexdigest()
    return Package(name, version, "amd64", name, "debian", suite, f"pool/{name}.deb", 1, digest)


def lock(*packages: Package) -> Lock:
    return Lock("image", "amd64", (), packages)


@pytest.mark.parametrize(
    ("locked", "offered"),
    [
        ("1.9-1", "1.10-1"),
        ("9.0-1", "1:1.0-1"),
        ("1.0~rc1-1", "1.0-1"),
        ("1.0-1", "1.0-1+deb13u1"),
        ("1.0-1+deb13u9", "1.0-1+deb13u10"),
        ("1.0-1", "1.0-1+b1"),
    ],
)
def test_a_newer_version_is_found_and_an_older_one_is_not(locked: str, offered: str) -> None:
    old, new = package("a", locked), package("a", offered, "trixie-security")
    assert outdated(lock(old), [old, new]) == Outdated(("a",), ())
    assert not outdated(lock(new), [old, new])


def test_two_spellings_of_one_version_are_no_update() -> None:
    old = package("a", "1.0-1")
    assert not outdated(lock(old), [old, package("a", "1.00-1", "trixie-updates")])


def test_other_packages_newer_versions_do_not_matter() -> None:
    mine = package("a", "1.0")
    assert not outdated(lock(mine), [mine, package("b", "2.0")])


def test_a_package_that_left_the_archive_is_noticed() -> None:
    mine, other = package("a", "1.0"), package("b", "1.0")
    assert outdated(lock(mine, other), [mine]) == Outdated((), ("b",))
    assert outdated(lock(mine), [package("a", "0.9")]) == Outdated((), ("a",))


def test_a_version_published_again_with_other_content_is_noticed() -> None:
    assert outdated(lock(package("a", "1.0")), [package("a", "1.0", content="other")]).vanished == ("a",)


def test_a_deb_that_moved_to_another_pool_is_noticed_for_its_locks_path_no_longer_works() -> None:
    mine = package("a", "1.0", "trixie-security")
    moved = replace(mine, suite="trixie", path="pool/main/a.deb")
    assert outdated(lock(mine), [moved]) == Outdated((), ("a",))
    assert not outdated(lock(mine), [moved, replace(mine, suite="trixie")])


def test_where_pins_decide_an_older_version_may_be_the_one_to_take() -> None:
    old, new = package("a", "1.0"), package("a", "2.0", "trixie-backports")
    assert not outdated(lock(new), [old, new])
    assert outdated(lock(new), [old, new], pinned=True) == Outdated(("a",), ())
    assert not outdated(lock(new), [new], pinned=True)


def test_an_empty_lock_is_never_outdated() -> None:
    assert not outdated(lock(), [])


@pytest.mark.parametrize("bad", ["a\x1b[31m", "a b", "-a", "a\u202e"])
def test_names_and_versions_that_a_terminal_would_obey_are_refused_where_they_are_read(bad: str) -> None:
    with pytest.raises(ValueError, match="not a package"):
        package(bad, "1.0")
    with pytest.raises(ValueError, match="not a package"):
        package("a", f"1.0{bad}\x07")
    stanza = f"Package: a\nVersion: 1\x1b{bad}\nArchitecture: all\nFilename: p\nSize: 1\nSHA256: {'0' * 64}"
    with pytest.raises(UserError, match="broken entry"):
        read_stanza(stanza, "debian", "trixie")
    line = f"{bad} 1.0 all a debian/trixie pool/a.deb 1 {'0' * 64}"
    with pytest.raises(UserError, match="not a line of a lock"):
        parse_lock(f"# gitops lock 1\n# image i on amd64\n{line}\n", "locks/i.amd64.lock")
