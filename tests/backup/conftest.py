"""What tests of backups share: each restic that Debian has, and repositories away from this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.repositories import SftpRepository, debian_programs, rest_repository, sftp_repository


@pytest.fixture(params=["bookworm", "trixie"])
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
    """The address of a repository on a rest server."""
    with rest_repository(tmp_path / "rest") as repository:
        yield repository
