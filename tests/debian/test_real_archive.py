"""The real archive resolves: what Debian signs today, on the mirror that this host uses."""

from pathlib import Path

import pytest

from gitops.debian.deb import control, timestamp
from gitops.debian.indexes import Indexes
from gitops.debian.packages import fields
from gitops.debian.resolve import resolve
from gitops.debian.sources import Source
from gitops.debian.store import Store
from gitops.debian.suites import refresh


@pytest.fixture(scope="module")
def indexes(trixie: Source, real_cache: Path) -> Indexes:
    return refresh([trixie], "amd64", real_cache)


def test_a_base_resolves_and_a_child_adds_only_its_own(indexes: Indexes, real_cache: Path) -> None:
    base = resolve(indexes, ["ca-certificates", "tini"], base=True, root=real_cache / "apt")
    names = {package.name for package in base}
    assert {"libc6", "dpkg", "bash", "apt", "ca-certificates", "tini", "openssl"} <= names
    assert 60 < len(base) < 120
    assert {package.suite for package in base} == {"trixie"}
    assert "iproute2" not in names

    installed = [indexes.stanza(package) or "" for package in base]
    child = resolve(indexes, ["nginx", "bash"], base=False, installed=installed, root=real_cache / "apt")
    assert "nginx" in {package.name for package in child}
    assert not names & {package.name for package in child}


def test_arm64_resolves_here(trixie: Source, real_cache: Path) -> None:
    base = resolve(refresh([trixie], "arm64", real_cache), [], base=True, root=real_cache / "apt")
    assert {package.architecture for package in base} == {"all", "arm64"}
    assert {"libc6", "dpkg", "apt"} <= {package.name for package in base}


def test_a_real_deb_arrives_as_its_index_says(indexes: Indexes, trixie: Source, tmp_path: Path) -> None:
    [tini] = indexes.candidates("tini")
    store = Store(tmp_path)
    store.fetch([tini], {trixie.archive: [trixie.mirror]})
    deb = store.path(tini.sha256)
    assert fields(control(deb))["Version"] == tini.version
    assert timestamp(deb) > 1_500_000_000
