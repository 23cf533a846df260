"""Indexes come in only when all is right from the signature down; a fault leaves the cache as it was."""

import gzip
import lzma
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops.debian.sources import Source
from gitops.debian.suites import refresh
from gitops.system import clock
from tests.archive import SigningKey, TestArchive
from tests.debian.conftest import Refresh, refused, source_of

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _one_package(archive: TestArchive) -> None:
    archive.add_package("hello", "1.0", architecture="amd64", fields={"Source": "hello-source (0.9)"})
    archive.publish()


def test_a_package_is_told_with_all_that_a_lock_needs(refreshed: Refresh, archive: TestArchive) -> None:
    [package] = refreshed().candidates("hello")
    deb = archive.root / package.path
    assert (package.name, package.version, package.architecture) == ("hello", "1.0", "amd64")
    assert (package.source, package.archive, package.suite) == ("hello-source", "test", "trixie")
    assert package.size == deb.stat().st_size
    assert refreshed().find("hello", "1.0", "amd64") == package
    assert "Description: test package hello" in (refreshed().stanza(package) or "")


def test_what_has_not_changed_is_not_downloaded_again(refreshed: Refresh, archive: TestArchive) -> None:
    refreshed()
    archive.requests.clear()
    refreshed()
    assert archive.requests == ["304 /dists/trixie/InRelease"]


def test_an_update_is_seen(refreshed: Refresh, archive: TestArchive) -> None:
    before = refreshed()
    archive.add_package("hello", "2.0", architecture="amd64")
    archive.publish()
    assert [package.version for package in refreshed().candidates("hello")] == ["1.0", "2.0"]
    assert [package.version for package in before.candidates("hello")] == ["1.0"]


def test_indexes_are_fetched_by_hash(refreshed: Refresh, archive: TestArchive) -> None:
    refreshed()
    assert [request for request in archive.requests if "by-hash/SHA256/" in request] == archive.requests[1:]


def test_an_archive_without_by_hash_serves_too(refreshed: Refresh, archive: TestArchive) -> None:
    archive.publish(by_hash=False)
    assert refreshed().names() == {"hello"}


def test_a_mirror_that_lost_its_hashes_serves_too(refreshed: Refresh, archive: TestArchive) -> None:
    for path in archive.root.glob("dists/**/by-hash/SHA256/*"):
        path.unlink()
    assert refreshed().names() == {"hello"}


def test_a_gzipped_index_does(refreshed: Refresh, archive: TestArchive) -> None:
    archive.publish(edit=lambda text: "\n".join(line for line in text.splitlines() if "xz" not in line))
    assert refreshed().names() == {"hello"}


def test_a_directory_is_a_mirror_too(archive: TestArchive, cache: Path) -> None:
    source = Source("disk", f"file://{archive.root}/", "trixie", ("main",), archive.keyring)
    assert refresh([source], "amd64", cache).names() == {"hello"}


def test_an_armoured_keyring_verifies(archive: TestArchive, refreshed: Refresh) -> None:
    assert refreshed(source_of(archive, keyring=archive.key.armoured)).names() == {"hello"}


def test_several_armoured_keys_in_one_keyring_all_count(
    archive: TestArchive, stranger_key: SigningKey, refreshed: Refresh, tmp_path: Path
) -> None:
    both = tmp_path / "both.asc"
    both.write_bytes(stranger_key.armoured.read_bytes() + archive.key.armoured.read_bytes())
    assert refreshed(source_of(archive, keyring=both)).names() == {"hello"}


def test_components_are_all_read(archive: TestArchive, cache: Path) -> None:
    archive.add_package("extra", "1", component="contrib")
    archive.publish()
    source = Source("test", archive.mirror, "trixie", ("main", "contrib"), archive.keyring)
    assert refresh([source], "amd64", cache).names() == {"hello", "extra"}


def test_packages_for_all_architectures_may_have_an_index_of_their_own(
    archive: TestArchive, refreshed: Refresh
) -> None:
    archive.add_package("anywhere", "1")
    archive.publish(separate_all=True)
    indexes = refreshed()
    assert [index.architecture for index in indexes.lists] == ["amd64", "all"]
    assert indexes.names() == {"hello", "anywhere"}


def test_a_suite_that_two_archives_name_is_fetched_once_and_verified_for_each(
    archive: TestArchive, stranger_key: SigningKey, refreshed: Refresh, cache: Path
) -> None:
    one, two = source_of(archive, name="one"), source_of(archive, name="two")
    assert [package.archive for package in refreshed(one, two).candidates("hello")] == ["one", "two"]
    assert len(archive.requests) == 2
    with refused(cache, "not in the archive's keyring"):
        refreshed(one, source_of(archive, name="two", keyring=stranger_key.keyring))


def test_the_suite_may_be_named_by_its_codename(archive: TestArchive, refreshed: Refresh) -> None:
    archive.publish(codename="forky")
    archive.root.joinpath("dists/forky").symlink_to("trixie")
    assert refreshed(source_of(archive, "forky")).names() == {"hello"}


def test_an_unknown_key_is_refused_and_named(
    archive: TestArchive, stranger_key: SigningKey, refreshed: Refresh, cache: Path
) -> None:
    refreshed()
    archive.publish(key=stranger_key)
    with refused(
        cache, f"{archive.mirror}/dists/trixie/InRelease", stranger_key.fingerprint[-16:], "keyring"
    ):
        refreshed()


def test_a_changed_inrelease_has_a_wrong_signature(
    archive: TestArchive, refreshed: Refresh, cache: Path
) -> None:
    refreshed()
    _edit(archive.inrelease(), lambda text: text.replace("Label: Test", "Label: Tset"))
    with refused(cache, "trixie/InRelease", "wrong signature", archive.key.fingerprint[-16:]):
        refreshed()


def test_what_stands_outside_the_signature_does_not_count(archive: TestArchive, refreshed: Refresh) -> None:
    _edit(
        archive.inrelease(),
        lambda text: text + "\nSuite: other\nValid-Until: Mon, 01 Jan 2001 00:00:00 UTC\n",
    )
    assert refreshed().releases[0].valid_until is None


def test_an_unsigned_inrelease_is_refused(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    refreshed()
    _edit(archive.inrelease(), lambda _: "Suite: trixie\nDate: Mon, 01 Jan 2035 00:00:00 UTC\n")
    with refused(cache, "trixie/InRelease", "is not signed"):
        refreshed()


def test_an_expired_release_is_refused(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    refreshed()
    archive.publish(valid_until=NOW - timedelta(days=1))
    with refused(cache, "trixie/InRelease", "expired", f"{NOW - timedelta(days=1):%Y-%m-%d}"):
        refreshed()


def test_a_release_that_expires_while_the_mirror_stands_still_is_refused(
    archive: TestArchive, refreshed: Refresh, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.publish(valid_until=NOW + timedelta(days=7))
    refreshed()
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=8))  # nobody waits that long
    with refused(cache, "expired"):
        refreshed()


def test_a_replayed_older_release_is_refused(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    refreshed()
    archive.publish(date=NOW - timedelta(days=3))
    with refused(cache, "trixie/InRelease", f"{NOW - timedelta(days=3):%Y-%m-%d}", "seen before"):
        refreshed()


def test_another_suites_release_is_refused(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    archive.root.joinpath("dists/forky").symlink_to("trixie")
    with refused(cache, "dists/forky/InRelease", "is that of trixie, not of forky"):
        refreshed(source_of(archive, "forky"))


def test_an_index_with_a_wrong_hash_is_refused(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    refreshed()
    _update(archive)
    archive.damage_indexes(lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    with refused(cache, "trixie/main/binary-amd64/", "SHA-256", "is not what InRelease promises"):
        refreshed()


@pytest.mark.parametrize("change", [lambda data: data[:-10], lambda data: data + b"x" * 10])
def test_an_index_of_the_wrong_length_is_refused(
    archive: TestArchive, refreshed: Refresh, cache: Path, change: Callable[[bytes], bytes]
) -> None:
    refreshed()
    _update(archive)
    archive.damage_indexes(change)
    with refused(cache, "trixie/main/binary-amd64/", "bytes", "is not what InRelease promises"):
        refreshed()


def test_a_missing_index_is_named(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    for path in archive.root.glob("dists/trixie/main/binary-amd64/**/*"):
        path.unlink() if path.is_file() else None
    with refused(cache, "main/binary-amd64/Packages.xz does not exist, though InRelease names it"):
        refreshed()


def test_after_a_fault_is_mended_it_carries_on(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    refreshed()
    _update(archive)
    archive.damage_indexes(lambda data: data[:-10])
    with refused(cache):
        refreshed()
    archive.publish()
    assert [package.version for package in refreshed().candidates("hello")] == ["1.0", "2.0"]


def test_a_suite_that_is_not_there_is_named(archive: TestArchive, refreshed: Refresh, cache: Path) -> None:
    with refused(cache, "dists/sarge/InRelease does not exist", "a suite named sarge"):
        refreshed(source_of(archive, "sarge"))


def test_a_component_that_is_not_there_is_named(
    archive: TestArchive, refreshed: Refresh, cache: Path
) -> None:
    source = Source("test", archive.mirror, "trixie", ("mian",), archive.keyring)
    with refused(cache, "names no mian/binary-amd64/Packages", "its components: main"):
        refreshed(source)


def test_a_mirror_that_does_not_answer_is_named(
    archive: TestArchive, cache: Path, refreshed: Refresh
) -> None:
    away = Source("test", "http://127.0.0.1:9", "trixie", ("main",), archive.keyring)
    with refused(cache, "http://127.0.0.1:9/dists/trixie/InRelease cannot be fetched"):
        refreshed(away)


def test_a_keyring_that_is_not_there_is_named(archive: TestArchive, cache: Path, refreshed: Refresh) -> None:
    with refused(cache, "/nowhere.gpg cannot be read", "debian-archive-keyring"):
        refreshed(source_of(archive, keyring=Path("/nowhere.gpg")))


def test_an_empty_index_has_no_packages(archive: TestArchive, refreshed: Refresh) -> None:
    archive.remove("hello")
    archive.publish()
    assert refreshed().names() == set()


def test_compressed_and_plain_indexes_are_the_same_packages(archive: TestArchive, refreshed: Refresh) -> None:
    [index] = refreshed().lists
    place = archive.root / "dists/trixie/main/binary-amd64"
    plain = index.path.read_bytes()
    assert plain == lzma.decompress((place / "Packages.xz").read_bytes())
    assert plain == gzip.decompress((place / "Packages.gz").read_bytes())


def _update(archive: TestArchive) -> None:
    archive.add_package("hello", "2.0", architecture="amd64")
    archive.publish()


def _edit(path: Path, change: Callable[[str], str]) -> None:
    changed = path.stat().st_mtime + 10
    path.write_text(change(path.read_text()))
    os.utime(path, (changed, changed))
