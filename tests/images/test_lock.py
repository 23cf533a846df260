"""A lock's text says everything, and nothing but what changed changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.debian.packages import Package
from gitops.images.lock import Lock, changes, format_lock, parse_lock
from gitops.system.errors import UserError

NAME = st.text("ab0+.-", max_size=60).map("a".__add__)
VERSION = st.text("1:A.+~-", max_size=60).map("0".__add__)
PACKAGE = st.builds(
    Package,
    name=NAME,
    version=VERSION,
    architecture=st.sampled_from(["amd64", "all"]),
    source=NAME,
    archive=st.text("abc-", min_size=1),
    suite=st.text("abc-/", min_size=1),
    path=st.text("a/%_.+~-", max_size=120).map("pool".__add__),
    size=st.integers(min_value=0, max_value=1 << 40),
    sha256=st.integers(min_value=0, max_value=(1 << 256) - 1).map("{:064x}".format),
)


def package(name: str, version: str = "1.0-1", **fields: object) -> Package:
    values = {
        "architecture": "amd64",
        "source": name,
        "archive": "debian",
        "suite": "trixie",
        "path": f"pool/main/{name}_{version}_amd64.deb",
        "size": 100,
        "sha256": "0" * 64,
        **fields,
    }
    return Package(name=name, version=version, **values)  # type: ignore[arg-type]  # a test names its own fields


def lock_of(*packages: Package) -> Lock:
    return Lock("web", "amd64", ("from trixie", "packages nginx"), packages)


@given(st.lists(PACKAGE, max_size=8, unique_by=lambda package: package.name))
def test_what_is_written_is_read_back(packages: list[Package]) -> None:
    lock = Lock("web", "amd64", ("from base", "packages a b"), tuple(sorted(packages)))
    assert parse_lock(format_lock(lock), "x.lock") == lock


def test_packages_are_sorted_whatever_order_they_came_in() -> None:
    assert format_lock(lock_of(package("b"), package("a"))) == format_lock(
        lock_of(package("a"), package("b"))
    )


def test_a_changed_package_changes_its_own_line_alone() -> None:
    old = format_lock(lock_of(package("a"), package("b"), package("c"))).splitlines()
    longer = package("b", "9:1.2.3~rc1+dfsg-4+deb13u10+really-a-version-of-great-length")
    new = format_lock(lock_of(package("a"), longer, package("c"))).splitlines()
    different = [(one, other) for one, other in zip(old, new, strict=True) if one != other]
    assert [one.split()[0] for one, _ in different] == ["b"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "web.lock"),
        ("# something else\n", "web.lock"),
        (format_lock(lock_of(package("a"))).replace("0" * 64, "0" * 63), "web.lock:5"),
        (format_lock(lock_of(package("a"))) + "b 1.0\n", "web.lock:6"),
        (format_lock(lock_of(package("a"))) + "<<<<<<< HEAD\n", "web.lock:6"),
    ],
)
def test_what_is_not_a_lock_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(UserError) as error:
        parse_lock(text, "web.lock")
    assert str(error.value).startswith(f"{place}: ")
    assert "gitops lock" in str(error.value)


def test_changes_say_what_came_went_and_moved() -> None:
    old = [package("a"), package("b"), package("gone")]
    new = [package("a"), package("b", "2.0-1"), package("come")]
    assert [str(change) for change in changes(old, new)] == [
        "b 1.0-1 → 2.0-1",
        "come new 1.0-1",
        "gone removed",
    ]
