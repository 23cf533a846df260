"""The docker client that can speak BuildKit is found among those on PATH."""

from pathlib import Path

import pytest

from gitops.engine import buildkit
from gitops.system.errors import UserError


def client(directory: Path, version: str, buildx: str = "exit 1") -> str:
    """Put a stand-in for a docker client somewhere: a machine has one version, PATH may have any."""
    directory.mkdir()
    path = directory / "docker"
    path.write_text(
        f'#!/bin/sh\ncase "$*" in\n--version) echo "Docker version {version}, build 0";;\n'
        f'"buildx version") {buildx};;\n*) exit 1;;\nesac\n'
    )
    path.chmod(0o755)
    return str(directory)


def found(monkeypatch: pytest.MonkeyPatch, *directories: str) -> str:
    monkeypatch.setenv("PATH", ":".join([*directories, "/nowhere"]))
    return buildkit.find().client


def test_an_old_client_speaks_it_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = client(tmp_path / "old", "20.10.24+dfsg1")
    assert found(monkeypatch, old) == f"{old}/docker"


def test_a_new_client_needs_buildx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lame = client(tmp_path / "lame", "28.2.2")
    whole = client(tmp_path / "whole", "29.0.0", "echo github.com/docker/buildx 0.20")
    assert found(monkeypatch, lame, whole) == f"{whole}/docker"


def test_without_any_the_packages_that_bring_one_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="can build with BuildKit") as error:
        found(monkeypatch, client(tmp_path / "lame", "28.2.2"))
    assert "docker-buildx" in str(error.value)


def test_this_machine_has_one() -> None:
    assert Path(buildkit.find().client).is_file()
