"""The host's mirrors are what its own apt says, in whichever format that is written."""

from pathlib import Path

import pytest

from gitops.debian.mirrors import HostMirrors, host_archives

ONE_LINE = """\
deb [arch=amd64] https://packages.example.org/tools trixie main
deb http://mirror.example.org/debian/ trixie main contrib
deb http://mirror.example.org/debian trixie-updates main
# deb http://old.example.org/debian trixie main
deb http://security.example.org/debian-security trixie-security main
"""
DEB822 = """\
Types: deb deb-src
URIs: http://mirror.example.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example.org/debian-security/
Suites: trixie-security
Components: main

Types: deb
URIs: http://off.example.org/debian
Suites: trixie
Components: main
Enabled: no
"""
FOUND = HostMirrors("http://mirror.example.org/debian", "http://security.example.org/debian-security")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's directory of sources."""
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    configuration = tmp_path / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{parts}";\n'
        f'Dir::State "{tmp_path}";\nDir::State::lists "{tmp_path}/lists";\nDir::Cache "{tmp_path}";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    return parts


@pytest.mark.parametrize(("name", "text"), [("debian.list", ONE_LINE), ("debian.sources", DEB822)])
def test_both_formats_tell_the_mirrors(host: Path, name: str, text: str) -> None:
    (host / name).write_text(text)
    assert host_archives() == FOUND


def test_a_strangers_archive_is_not_taken_for_debians(host: Path) -> None:
    (host / "a.list").write_text("deb https://packages.example.org/debian trixie main\n")
    (host / "b.list").write_text(ONE_LINE)
    assert host_archives() == FOUND


def test_a_mirror_on_disk_is_found(host: Path) -> None:
    (host / "disk.list").write_text("deb file:///srv/debian trixie main\n")
    assert host_archives() == HostMirrors("file:///srv/debian", None)


def test_a_host_without_sources_has_none(host: Path) -> None:
    assert list(host.iterdir()) == []
    assert host_archives() == HostMirrors(None, None)
