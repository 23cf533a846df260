"""Only what may have moved is asked of apt again, and what stands on what has."""

from gitops.debian.packages import Package
from gitops.fleet.fleet import Fleet
from gitops.images.lock import Lock
from gitops.images.locks import Locks
from gitops.system.errors import UserError
from gitops.updates.difference import Key
from gitops.updates.fresh import Fresh, fresh
from tests.updates.test_groups import AMD64, OLD, fleet, locks

__all__ = ["fleet"]  # the fixture: a base, and two images on it
NEWER = locks(base="libc=2 openssl:libssl=1", web="nginx=2 nginx:nginx-common=1", db="mariadb=2")


class Apt:
    """Knows what is newer; refuses an image, always or only on top of a parent that has moved."""

    def __init__(self, newer: set[str], *, refuses: str = "", on_new_parent: str = "") -> None:
        self.newer, self.refuses, self.on_new_parent = newer, refuses, on_new_parent
        self.asked: list[str] = []

    def choose(self, key: Key, given: Locks) -> Lock:
        self.asked.append(key[0])
        moved = given["base", AMD64] != OLD["base", AMD64]
        if key[0] == self.refuses or (key[0] == self.on_new_parent and moved):
            raise UserError("there is no way")
        return NEWER[key] if key[0] in self.newer else OLD[key]

    def upgrade(self, key: Key, _given: Locks) -> Lock:
        return Lock(
            *key, (), (*OLD[key].packages, Package("moved", "2", "all", "m", "t", "s", "p", 1, "0" * 64))
        )

    def run(self, fleet: Fleet) -> Fresh:
        return fresh(fleet, OLD, lambda lock: lock.image in self.newer, self.choose, self.upgrade)


def test_an_image_with_nothing_newer_is_not_asked_about(fleet: Fleet) -> None:
    apt = Apt({"web"})
    assert set(apt.run(fleet).locks) == {("web", AMD64)}
    assert apt.asked == ["web"]


def test_what_stands_on_an_image_that_moves_is_asked_about(fleet: Fleet) -> None:
    apt = Apt({"base"})
    assert apt.run(fleet) == Fresh({("base", AMD64): NEWER["base", AMD64]}, {}, frozenset())
    assert sorted(apt.asked) == ["base", "db", "web"]


def test_an_image_that_cannot_be_had_anew_moves_as_far_as_it_can_and_is_told(fleet: Fleet) -> None:
    found = Apt({"web", "db"}, refuses="web").run(fleet)
    assert [package.name for package in found.locks["web", AMD64].packages][-1] == "moved"
    assert found.locks["db", AMD64] == NEWER["db", AMD64]
    assert (found.failed, found.doubtful) == (
        {("web", AMD64): "there is no way"},
        frozenset({("web", AMD64)}),
    )


def test_an_image_that_can_only_be_had_on_its_old_parent_is_doubtful_and_has_not_failed(fleet: Fleet) -> None:
    found = Apt({"base", "db"}, on_new_parent="db").run(fleet)
    assert found.locks["db", AMD64] == NEWER["db", AMD64]
    assert (found.failed, found.doubtful) == ({}, frozenset({("db", AMD64)}))


def test_nothing_newer_anywhere_asks_nothing(fleet: Fleet) -> None:
    apt = Apt(set())
    assert apt.run(fleet) == Fresh({}, {}, frozenset())
    assert apt.asked == []
