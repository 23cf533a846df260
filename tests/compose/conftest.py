"""A fleet to import into, and directories with Compose files as they are found in the world."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.compose.place import Done, import_file
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.fleet.yaml import parse


@dataclass
class Desk:
    """A project with a Compose file, and a fleet beside it."""

    project: Path
    fleet: Path

    def write(self, files: Mapping[str, str]) -> Path:
        """Write the project's files; give that of its Compose file."""
        for name, text in files.items():
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            (self.project / name).write_text(text)
        return self.project / "compose.yaml"

    def run(self, compose: str, **files: str) -> Done:
        """Import a Compose file that has other files beside it."""
        return import_file(self.write({"compose.yaml": compose, **files}), "shop", self.fleet)

    def app(self) -> dict[str, object]:
        """Give what the app's file says."""
        content: dict[str, object] = parse((self.fleet / "apps/shop.yaml").read_text())
        return content

    def loaded(self, parameters: str = "{}") -> Fleet:
        """Load the fleet with an instance of the app; only secrets may still be missing."""
        (self.fleet / "hosts").mkdir(exist_ok=True)
        (self.fleet / "hosts/web1.yaml").write_text(
            f"instances: {{one: {{app: shop, parameters: {parameters}}}}}\n"
        )
        return load(self.fleet, secrets_to_come=True)

    def gitops(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "gitops", *words]
        return subprocess.run(command, cwd=self.fleet, capture_output=True, text=True, check=False)


def told(done: Done) -> dict[str, str]:
    """Give what is said of each thing."""
    return {note.what: note.why for note in done.notes}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "project", tmp_path / "fleet")
    for name, text in {
        "fleet.yaml": "name: demo\narchives:\n"
        "  trixie: {mirror: 'https://deb.example.org/debian', suites: [trixie]}\n",
        "images/trixie.yaml": "from: scratch\narchive: trixie\npackages: [tini]\n",
    }.items():
        (made.fleet / name).parent.mkdir(parents=True, exist_ok=True)
        (made.fleet / name).write_text(text)
    return made
