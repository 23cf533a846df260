"""What tests of backups share: each restic that Debian has, and repositories away from this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops.backup import insisting
from gitops.backup.vault import open_vault
from tests.backup.proving import RESTICS, Proving, tree
from tests.backup.repositories import SftpRepository, debian_programs, rest_repository, sftp_repository
from tests.database_fixtures import HOST, Site


@pytest.fixture(params=RESTICS)
def each_restic(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let `restic` be Debian 12's (0.14), and then Debian 13's (0.18), for the test and what it starts."""
    monkeypatch.setenv("PATH", str(debian_programs(request.param, "restic")), prepend=":")
    return str(request.param)


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpRepository]:
    """A repository on an OpenSSH server."""
    with sftp_repository(tmp_path / "sftp") as repository:
        yield repository


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[str]:
    """The address of a repository on a rest server that lets nobody remove anything but locks."""
    with rest_repository(tmp_path / "rest", "--append-only") as repository:
        yield repository


@pytest.fixture
def proving(site: Site) -> Iterator[Proving]:
    """The instance, with odd files in its volume, and its backups."""
    script = r"""cd /srv/uploads; mkdir -p a/b; head -c 3000000 /dev/urandom >a/b/photo; ln -s a/b link
    printf x >"$(printf 'new\nline')"; printf y >"$(printf '\377\376 bytes')"; chmod 2750 a"""
    site.execute("web", "sh", "-c", script)
    with open_vault(site.fleet, HOST, site.places) as vault:
        yield Proving(site, vault, {tree(site.uploads)})


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what uses a repository try again at once."""
    monkeypatch.setattr(insisting, "PAUSES", (0.1, 0.1))
