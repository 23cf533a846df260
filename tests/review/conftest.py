"""A fleet whose locks a test can change."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from tests.agent.conftest import FleetOnDisk
from tests.agent.conftest import fleet as fleet  # noqa: PLC0414  # a fixture is found where it is named
from tests.images.test_lock import package

GITOPS = Path(sys.executable).with_name("gitops")


@dataclass(frozen=True)
class Change:
    """A fleet, of which a test commits one state and then makes another."""

    fleet: FleetOnDisk

    def lock(self, **versions: dict[str, str]) -> None:
        """Lock every image, those that are named with packages in these versions."""
        loaded = load(self.fleet.root)
        for image in loaded.images:
            packages = tuple(package(*each) for each in sorted(versions.get(image, {}).items()))
            lock = Lock(image, "amd64", request_of(loaded, image), packages)
            self.fleet.write(f"locks/{image}.amd64.lock", format_lock(lock))

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a file."""
        text = (self.fleet.root / path).read_text()
        assert old in text
        self.fleet.write(path, text.replace(old, new))

    def run(self, *args: str, status: int = 0) -> str:
        """Run a verb in the fleet; give what it printed."""
        done = subprocess.run(
            [GITOPS, *args], cwd=self.fleet.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout + done.stderr


@pytest.fixture
def change(fleet: FleetOnDisk) -> Change:
    """A committed fleet: alice and bob are blogs on web1, all of one image."""
    return Change(fleet)
