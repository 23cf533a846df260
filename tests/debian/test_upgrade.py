"""Upgrading what is there, asked of apt itself on a small signed archive."""

from pathlib import Path

import pytest

from gitops.debian.indexes import Indexes
from gitops.debian.sources import Pin, Source
from gitops.debian.suites import refresh
from gitops.debian.upgrade import upgrade
from gitops.system.errors import UserError
from tests.archive import TestArchive

INSTALLED = ("curl", "libssl", "nginx")


def indexes(archive: TestArchive, cache: Path) -> Indexes:
    source = Source("test", archive.mirror, "trixie", ("main",), archive.keyring)
    return refresh([source], "amd64", cache)


@pytest.fixture
def stanzas(archive: TestArchive, tmp_path: Path) -> dict[str, str]:
    """Publish version 1 of everything, and give what its index says of each."""
    for name in ("base", "curl", "libssl"):
        archive.add_package(name, "1")
    archive.add_package("nginx", "1", depends="libssl")
    archive.publish()
    found = indexes(archive, tmp_path / "indexes")
    return {name: found.stanza(found.candidates(name)[0]) or "" for name in found.names()}


def upgraded(archive: TestArchive, stanzas: dict[str, str], tmp_path: Path, *pins: Pin) -> list[str]:
    archive.publish()
    found = upgrade(
        indexes(archive, tmp_path / "indexes"),
        [stanzas[name] for name in INSTALLED],
        [stanzas["base"]],
        pins=pins,
        root=tmp_path / "apt",
    )
    return [f"{package.name} {package.version}" for package in found]


def test_what_cannot_be_installed_stays_and_the_rest_moves(
    archive: TestArchive, stanzas: dict[str, str], tmp_path: Path
) -> None:
    archive.add_package("nginx", "2", depends="libmissing")
    archive.add_package("libssl", "2")
    assert upgraded(archive, stanzas, tmp_path) == ["libssl 2"]


def test_what_has_left_the_archive_stays(
    archive: TestArchive, stanzas: dict[str, str], tmp_path: Path
) -> None:
    archive.remove("nginx")
    archive.add_package("curl", "2")
    assert upgraded(archive, stanzas, tmp_path) == ["curl 2"]


def test_a_new_dependency_comes_in(archive: TestArchive, stanzas: dict[str, str], tmp_path: Path) -> None:
    archive.add_package("libcurl", "2")
    archive.add_package("curl", "2", depends="libcurl")
    assert upgraded(archive, stanzas, tmp_path) == ["curl 2", "libcurl 2"]


def test_what_is_the_parents_stays(archive: TestArchive, stanzas: dict[str, str], tmp_path: Path) -> None:
    archive.add_package("base", "2")
    archive.add_package("curl", "2", depends="base (= 2)")
    assert upgraded(archive, stanzas, tmp_path) == []


def test_pins_count(archive: TestArchive, stanzas: dict[str, str], tmp_path: Path) -> None:
    archive.add_package("curl", "2")
    assert upgraded(archive, stanzas, tmp_path, Pin("curl", "version 1", 1001)) == []


def test_a_system_that_is_broken_already_is_refused(
    archive: TestArchive, stanzas: dict[str, str], tmp_path: Path
) -> None:
    broken = {**stanzas, "nginx": f"{stanzas['nginx']}\nPre-Depends: never-was"}
    with pytest.raises(UserError, match="apt finds nothing that it could upgrade"):
        upgraded(archive, broken, tmp_path)
