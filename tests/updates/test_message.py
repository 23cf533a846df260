"""A proposal's message says what changes, where it runs, what stays, and how to take it."""

from dataclasses import replace

from gitops.updates.effect import Effect, PackageUpdate, Place, Rebuild
from gitops.updates.message import message, subject
from gitops.updates.relock import Finding


def php(name: str) -> PackageUpdate:
    suite = "debian/trixie-security"
    return PackageUpdate("php8.4", name, "8.4.27-1", "8.4.28-1", suite, ("wordpress",), ("alice@web1",))


EFFECT = Effect(
    packages=(php("libapache2-mod-php8.4"), php("php8.4-common")),
    rebuilt=(Rebuild("wordpress", ("amd64",), None),),
    restarted=(Place("web1", "alice", ("web",)), Place("web1", "bob", ("web",))),
    kept_images=("trixie", "mariadb"),
    kept=(Place("web1", "alice", ("db",)), Place("web1", "bob", ("db",))),
)


def test_one_source_is_named_with_its_versions_and_its_reach() -> None:
    assert subject(EFFECT) == "php8.4 8.4.27-1 → 8.4.28-1: 1 image, 2 instances"


def test_several_sources_are_counted_and_named_within_a_line() -> None:
    def many(*sources: str) -> Effect:
        return replace(EFFECT, packages=tuple(replace(php("x"), source=source) for source in sources))

    assert subject(many("curl", "openssl", "php8.4")) == "3 sources updated: curl, openssl, php8.4"
    long = subject(many(*(f"source-{number}" for number in range(40))))
    assert long.startswith("40 sources updated: source-0, source-1,")
    assert long.endswith(" …")
    assert len(long) <= 72


def test_the_body_says_all_of_it() -> None:
    finding = Finding("mariadb", "amd64", "there is no\n  package galera-4")
    child = Rebuild("shop", ("amd64", "arm64"), "wordpress")
    effect = replace(EFFECT, rebuilt=(*EFFECT.rebuilt, child))
    assert (
        message(effect, [finding], "gitops/updates")
        == """\
php8.4 8.4.27-1 → 8.4.28-1: 2 images, 2 instances

Packages, by source:
  php8.4 8.4.27-1 → 8.4.28-1 from debian/trixie-security
    libapache2-mod-php8.4 php8.4-common

Images built again:
  wordpress (amd64)
  shop (amd64, arm64), because wordpress is

Instances that restart:
  alice on web1: web
  bob on web1: web

Not affected:
  images: trixie, mariadb
  alice on web1: db
  bob on web1: db

Held back:
  mariadb (amd64): there is no package galera-4

To take it:
  git merge gitops/updates
  gitops build
  gitops apply  # on web1
"""
    )


def test_an_update_that_runs_nowhere_says_so() -> None:
    effect = replace(EFFECT, restarted=())
    assert "1 image, 0 instances" in subject(effect)
    assert "Instances that restart:\n  none\n" in message(effect, [], "b")


def test_control_characters_of_a_reason_never_reach_the_message() -> None:
    text = message(EFFECT, [Finding("a", "amd64", "bad \x1b[31mred\x07\r\nline\u202e")], "b")
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "bad [31mred line" in text
