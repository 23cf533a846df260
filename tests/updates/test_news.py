"""What is new is read from the packages themselves, and what cannot be read is said."""

from collections.abc import Mapping

import pytest

from gitops.updates.news import News
from tests.updates.conftest import Scene
from tests.updates.proposals import entry, news


def log(source: str, *versions: str, urgency: str = "medium") -> str:
    """Write a changelog, newest version first; each one mends a CVE and closes a bug of its own."""
    return "\n".join(
        f"{source} ({version}) trixie; urgency={urgency}\n\n"
        f"  * Fix CVE-2026-{number}000. (Closes: #{number})\n\n"
        f" -- Ann <ann@example.org>  Tue, 27 Jan 2026 10:00:0{number} +0100\n"
        for number, version in zip(range(len(versions), 0, -1), versions, strict=True)
    )


def carrying(package: str, text: str) -> Mapping[str, str]:
    """Give a package's files with a changelog among them."""
    return {f"usr/share/doc/{package}/changelog.Debian": text}


def found(scene: Scene) -> tuple[News, ...]:
    """Find what is new; all of it is one proposal."""
    (update,) = scene.find().updates
    return update.news


def test_the_entries_between_old_and_new_are_read(scene: Scene) -> None:
    versions = ("3.5.7-1", "3.5.6-2", "3.5.6-1", "3.5.5-1")
    text = log("openssl", *versions, urgency="high")
    scene.archive.add_package(
        "libssl", "3.5.7-1", fields={"Source": "openssl"}, files=carrying("libssl", text)
    )
    scene.archive.publish()
    (told,) = found(scene)
    assert (told.source, told.old, told.new, told.missing) == ("openssl", "3.5.6-1", "3.5.7-1", "")
    assert [each.version for each in told.entries] == ["3.5.7-1", "3.5.6-2"]
    assert (told.urgency, told.cves, told.bugs) == ("high", ("CVE-2026-3000", "CVE-2026-4000"), (3, 4))


def test_another_package_of_the_source_is_asked_when_one_carries_no_changelog(scene: Scene) -> None:
    text = log("nginx", "1.26-2", "1.26-1") + "# padding " + "x" * 5000
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-2)")
    scene.archive.add_package(
        "nginx-common", "1.26-2", fields={"Source": "nginx"}, files=carrying("nginx-common", text)
    )
    scene.archive.publish()
    (told,) = found(scene)
    assert [each.version for each in told.entries] == ["1.26-2"]
    assert [package.name for package in told.packages] == ["nginx", "nginx-common"]


def test_the_package_that_others_link_their_documentation_to_is_asked_next(scene: Scene) -> None:
    small = [f"nginx-mod-{letter}" for letter in "abcd"]
    scene.archive.add_package("nginx", "1.26-2", depends=", ".join(["nginx-common (= 1.26-2)", *small]))
    for name in small:
        links = {f"usr/share/doc/{name}": "nginx-common"}
        scene.archive.add_package(name, "1.26-2", fields={"Source": "nginx"}, links=links)
    text = log("nginx", "1.26-2", "1.26-1") + "# padding " + "x" * 5000
    scene.archive.add_package(
        "nginx-common", "1.26-2", fields={"Source": "nginx"}, files=carrying("nginx-common", text)
    )
    scene.archive.publish()
    (told,) = found(scene)
    assert [each.version for each in told.entries] == ["1.26-2"]


def test_a_source_version_of_its_own_is_what_its_changelog_is_read_by(scene: Scene) -> None:
    scene.archive.add_package(
        "mariadb",
        "1:12.0-1",
        fields={"Source": "mariadb-defaults (2.0)"},
        files=carrying("mariadb", log("mariadb-defaults", "2.0", "1:11.8-1")),
    )
    scene.archive.publish()
    (told,) = found(scene)
    assert (told.source, told.new) == ("mariadb-defaults", "2.0")


def test_a_rebuild_has_news_of_its_own(scene: Scene) -> None:
    text = log("openssl", "3.5.6-1+b1", "3.5.6-1")
    scene.archive.add_package(
        "libssl", "3.5.6-1+b1", fields={"Source": "openssl (3.5.6-1)"}, files=carrying("libssl", text)
    )
    scene.archive.publish()
    (told,) = found(scene)
    assert (told.old, told.new) == ("3.5.6-1", "3.5.6-1+b1")
    assert [each.version for each in told.entries] == ["3.5.6-1+b1"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "its packages carry no changelog"),
        (
            carrying("mariadb", log("mariadb", "1:11.7-1")),
            "its changelog has no entry between these versions",
        ),
    ],
)
def test_a_changelog_that_says_nothing_is_said(scene: Scene, files: Mapping[str, str], why: str) -> None:
    scene.archive.add_package("mariadb", "1:11.9-1", files=files)
    scene.archive.publish()
    assert [(told.entries, told.missing) for told in found(scene)] == [((), why)]


def test_a_package_that_cannot_be_had_or_is_not_what_was_promised_stops_nothing(scene: Scene) -> None:
    gone = scene.archive.add_package("mariadb", "1:11.9-1")
    other = scene.archive.add_package(
        "libssl", "3.5.7-1", fields={"Source": "openssl"}, files=carrying("libssl", log("openssl", "3.5.7-1"))
    )
    scene.archive.publish()
    gone.unlink()
    content = other.read_bytes()
    other.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    mariadb, openssl = found(scene)
    assert "has left the mirror" in mariadb.missing
    assert "libssl" in openssl.missing
    assert (mariadb.entries, openssl.entries) == ((), ())
    assert "\n" not in mariadb.missing + openssl.missing


def test_a_withdrawn_version_is_told_by_what_is_taken_back(scene: Scene) -> None:
    text = log("mariadb", "1:11.8-1", "1:11.7-1", urgency="high")
    scene.archive.remove("mariadb")
    old = scene.archive.add_package("mariadb", "1:11.8-1", files=carrying("mariadb", text))
    scene.archive.publish()
    scene.lock()
    kept = old.read_bytes()
    scene.archive.remove("mariadb")
    scene.archive.add_package("mariadb", "1:11.7-1")
    scene.archive.publish()
    old.write_bytes(kept)  # mirrors keep a .deb for a while after it has left the index
    (told,) = found(scene)
    assert told.withdrawn
    assert [each.version for each in told.entries] == ["1:11.8-1"]


def test_a_new_dependency_belongs_to_the_source_that_brings_it(scene: Scene) -> None:
    scene.archive.add_package("nginx", "1.27-1", depends="libnginx, zlib")
    scene.archive.add_package("libnginx", "1.27-1", fields={"Source": "nginx"})
    scene.archive.add_package("zlib", "1.3-1")
    scene.archive.publish()
    nginx, zlib = found(scene)
    assert {package.name for package in nginx.packages} == {"nginx", "nginx-common", "libnginx"}
    assert (zlib.old, zlib.new, zlib.missing) == (None, "1.3-1", "")


def test_the_highest_urgency_counts_and_unknown_words_do_not() -> None:
    assert (
        news("a", entry(urgency="low"), entry(urgency="emergency"), entry(urgency="high")).urgency
        == "emergency"
    )
    assert news("a", entry(urgency="whatever")).urgency == ""
