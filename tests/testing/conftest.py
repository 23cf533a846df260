"""A fleet whose images are there, and the installed program to test them with."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.deploy.host import want
from tests.agent.conftest import FleetOnDisk
from tests.agent.conftest import fleet as fleet  # noqa: PLC0414  # a fixture is found where it is named

GITOPS = Path(sys.executable).with_name("gitops")


@dataclass(frozen=True)
class Trial:
    """A fleet, and what its tests make on the engine."""

    fleet: FleetOnDisk
    api: APIClient

    def build(self) -> None:
        """Commit, and let the engine have each image."""
        self.fleet.lock()
        self.fleet.commit()
        for reference in want(self.fleet.root, None, self.fleet.places).references.values():
            self.fleet.import_image(reference)

    def start(self, *args: str) -> "subprocess.Popen[str]":
        """Start a verb in the fleet."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [GITOPS, *args], cwd=self.fleet.root, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *args: str) -> tuple[int, str]:
        """Run a verb in the fleet; give its exit status and all that it printed."""
        with self.start(*args) as process:
            said, _ = process.communicate()
            return process.returncode, said

    def left(self) -> list[str]:
        """Name all that the engine has of tests of this fleet."""
        prefix = f"{self.fleet.name}.test-"
        filters = {"label": ["gitops.host=test"]}
        return sorted(
            name
            for name in (
                *(one["Names"][0].lstrip("/") for one in self.api.containers(all=True, filters=filters)),
                *(one["Name"] for one in self.api.networks(filters=filters)),
                *(one["Name"] for one in self.api.volumes(filters=filters)["Volumes"] or ()),
            )
            if name.startswith(prefix)
        )


@pytest.fixture
def trial(fleet: FleetOnDisk, api: APIClient) -> Trial:
    """The fleet of one test."""
    return Trial(fleet, api)
