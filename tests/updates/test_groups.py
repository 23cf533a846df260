"""Cutting what is new: with a judge that knows a few dependencies, so that every case can be made."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.debian.packages import Package
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.fleet.updates import Updates
from gitops.images.lock import Lock
from gitops.updates.difference import Difference, Key, differences, take
from gitops.updates.groups import Judge, cut, feasible

AMD64 = "amd64"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A base, and two images on it."""
    files = {
        "fleet.yaml": "name: small\narchives: {test: {mirror: 'http://deb.example.org', suites: [trixie]}}\n",
        "images/base.yaml": "from: scratch\narchive: test\n",
        "images/web.yaml": "from: base\npackages: [nginx]\n",
        "images/db.yaml": "from: base\npackages: [mariadb]\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return load(tmp_path)


def package(name: str, version: str, source: str = "", suite: str = "trixie") -> Package:
    return Package(name, version, "all", source or name, "test", suite, f"pool/{name}_{version}", 1, "0" * 64)


def locks(**images: str) -> dict[Key, Lock]:
    """Read `base="libc=1 openssl=1"`; a source is what comes before a colon, a suite after an @."""
    made = {}
    for image, text in images.items():
        packages = []
        for word in text.split():
            named, _, suite = word.partition("@")
            source, _, binary = named.rpartition(":")
            name, _, version = binary.partition("=")
            packages.append(package(name, version, source, suite or "trixie"))
        made[image, AMD64] = Lock(image, AMD64, (), tuple(sorted(packages)))
    return made


def judge(*needs: str) -> Judge:
    """Make one that knows needs: `nginx=2 libssl=2` is trouble where the first has not the second."""

    def troubles(packages: Sequence[Package]) -> tuple[frozenset[str], ...]:
        there = {f"{each.name}={each.version}" for each in packages}
        pairs = [need.split() for need in needs]
        return tuple(
            frozenset({one.partition("=")[0], other.partition("=")[0]})
            for one, other in pairs
            if one in there and other not in there
        )

    return lambda images: [troubles(packages) for _, packages in images]


OLD = locks(base="libc=1 openssl:libssl=1", web="nginx=1 nginx:nginx-common=1", db="mariadb=1")
NEW = locks(
    base="libc=2 openssl:libssl=2@trixie-security", web="nginx=2 nginx:nginx-common=2", db="mariadb=2"
)


def settings(group: str, security: str = "together") -> Updates:
    return Updates.model_validate({"group": group, "security": security})


def names(fleet: Fleet, policy: Updates, judge: Judge) -> dict[str, set[str]]:
    wanted = differences(OLD, NEW)
    return {
        group.name: {each.name for each in group.differences}
        for group in cut(fleet, OLD, wanted, policy, judge)
    }


def test_all_together_is_one_group_without_a_name(fleet: Fleet) -> None:
    everything = {"libc", "libssl", "nginx", "nginx-common", "mariadb"}
    assert names(fleet, settings("all"), judge()) == {"": everything}


def test_binaries_of_one_source_share_a_group(fleet: Fleet) -> None:
    assert names(fleet, settings("source"), judge()) == {
        "libc": {"libc"},
        "mariadb": {"mariadb"},
        "nginx": {"nginx", "nginx-common"},
        "openssl": {"libssl"},
    }


def test_every_image_can_have_its_own(fleet: Fleet) -> None:
    assert names(fleet, settings("image"), judge()) == {
        "base": {"libc", "libssl"},
        "db": {"mariadb"},
        "web": {"nginx", "nginx-common"},
    }


def test_every_archive_can_have_its_own(fleet: Fleet) -> None:
    wanted = differences(OLD, NEW)
    moved = {each for each in wanted if each.name == "mariadb"}
    backports = {
        Difference(each.key, each.name, each.old, replace(each.package, archive="backports"))
        for each in moved
    }
    found = cut(fleet, OLD, (wanted - moved) | backports, settings("archive"), judge())
    assert [group.name for group in found] == ["backports", "test"]
    assert {each.name for each in found[0].differences} == {"mariadb"}


def test_security_goes_first_and_apart(fleet: Fleet) -> None:
    wanted = differences(OLD, NEW)
    found = cut(fleet, OLD, wanted, settings("all", "apart"), judge())
    assert [(group.name, group.is_security) for group in found] == [("security", True), ("", False)]
    assert {each.name for each in found[0].differences} == {"libssl"}


def test_what_needs_each_other_shares_a_group_with_the_first_name(fleet: Fleet) -> None:
    needs = judge("nginx=2 libssl=2")
    assert names(fleet, settings("source"), needs)["nginx"] == {"nginx", "nginx-common", "libssl"}
    assert "openssl" not in names(fleet, settings("source"), needs)


def test_a_child_that_needs_its_parent_to_move_first_takes_it_along(fleet: Fleet) -> None:
    assert names(fleet, settings("image"), judge("mariadb=2 libc=2")) == {
        "base": {"libc", "libssl", "mariadb"},
        "web": {"nginx", "nginx-common"},
    }


def test_security_that_needs_more_takes_it_along_and_stays_first(fleet: Fleet) -> None:
    found = cut(fleet, OLD, differences(OLD, NEW), settings("source", "apart"), judge("libssl=2 libc=2"))
    assert (found[0].name, found[0].is_security) == ("security-openssl", True)
    assert {each.name for each in found[0].differences} == {"libssl", "libc"}


def test_trouble_that_nobody_can_name_joins_all_that_is_near(fleet: Fleet) -> None:
    def at_a_loss(images: Sequence[tuple[Key, tuple[Package, ...]]]) -> list[tuple[frozenset[str], ...]]:
        half_done = [{"nginx=2", "libc=1"} <= {f"{p.name}={p.version}" for p in some} for _, some in images]
        return [(frozenset({"who-knows"}),) if bad else () for bad in half_done]

    found = names(fleet, settings("image"), at_a_loss)
    assert found == {"base": {"libc", "libssl", "nginx", "nginx-common"}, "db": {"mariadb"}}


def test_groups_taken_one_after_the_other_are_the_whole(fleet: Fleet) -> None:
    state = OLD
    for group in cut(fleet, OLD, differences(OLD, NEW), settings("source"), judge("nginx=2 libssl=2")):
        state = {**state, **take(state, group.differences)}
    assert state == NEW


def without(name: str) -> frozenset[Difference]:
    return frozenset(each for each in differences(OLD, NEW) if each.name != name)


def test_what_needs_something_held_stays_too_and_says_so(fleet: Fleet) -> None:
    kept, blocked = feasible(
        fleet, OLD, without("libssl"), [("base", AMD64)], judge("nginx-common=2 libssl=2")
    )
    assert {each.name for each in kept} == {"libc", "mariadb"}
    assert {each.name: names for each, names in blocked.items()} == dict.fromkeys(
        ("nginx", "nginx-common"), frozenset({"nginx-common", "libssl"})
    )


def test_a_child_that_cannot_follow_keeps_only_what_it_cannot_live_without(fleet: Fleet) -> None:
    kept, blocked = feasible(fleet, OLD, without("mariadb"), [("db", AMD64)], judge("mariadb=1 libc=1"))
    assert {each.name for each in kept} == {"libssl", "nginx", "nginx-common"}
    assert {each.name for each in blocked} == {"libc"}


def test_what_a_parent_keeps_back_is_judged_in_its_other_children_too(fleet: Fleet) -> None:
    kept, _ = feasible(
        fleet, OLD, without("mariadb"), [("db", AMD64)], judge("mariadb=1 libc=1", "nginx=2 libc=2")
    )
    assert {each.name for each in kept} == {"libssl"}
