"""A fleet of one host on an archive of the tests' own, and what each check finds in it."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops.doctor.checks import CHECKS, examine
from gitops.doctor.finding import Finding
from gitops.doctor.machine import look_around
from gitops.system.places import Places, places
from tests.archive import TestArchive


class Surroundings:
    """A fleet, and the machine that is its only host."""

    def __init__(self, root: Path, archive: TestArchive) -> None:
        self.root, self.archive = root, archive
        self.settings = (
            f"name: demo\narchives:\n  trixie:\n    mirror: {archive.mirror}\n    suites: [trixie]\n"
            f"    keyring: {archive.keyring}\n"
        )
        self.write("fleet.yaml", self.settings)
        self.write("images/base.yaml", "from: scratch\narchive: trixie\n")
        self.write(
            "apps/one.yaml",
            "services: {web: {image: base, volumes: ['data:/data']}}\nbackup: {volumes: [data]}",
        )
        self.host("scheduler: cron")
        subprocess.run(["git", "init", "--quiet", root], check=True)

    @property
    def places(self) -> Places:
        return places()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def host(self, lines: str, repository: str = "/nowhere/restic") -> None:
        """Say what the host is like."""
        backup = f"backup: {{repository: '{repository}'}}" if repository else ""
        self.write("hosts/web1.yaml", f"{lines}\n{backup}\ninstances: {{alice: {{app: one}}}}\n")

    def find(self, subject: str) -> dict[str, str]:
        """Do one check; give what it says and what to do, together, by state: the last of each counts."""
        found = self.look(subject)
        return {each.state: f"{each.says}; {each.advice}" for each in found}

    def look(self, subject: str) -> list[Finding]:
        machine = look_around(self.root, self.places, named=False)
        return [finding for _, finding in examine(machine, {subject: CHECKS[subject]})]


@pytest.fixture
def surroundings(tmp_path: Path, archive: TestArchive, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    for name in [each for each in os.environ if each.startswith("GITOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "root"))
    archive.add_package("tini", "1")
    archive.publish()
    return Surroundings(tmp_path / "fleet", archive)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, and nobody else can while the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
