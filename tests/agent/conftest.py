"""A small fleet in a git repository of its own, whose one image is the tests' tiny one."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.agent.generation import clean_head
from gitops.agent.reconcile import reconcile
from gitops.deploy.host import Wanted
from gitops.deploy.plan import Plan
from gitops.engine.docker import Docker
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from gitops.system.places import Places, places
from tests.engine_fixtures import WELL

LOOP = "trap 'exit 0' TERM; sleep 99999 & wait"
APP = f"""\
parameters: {{greeting: {{default: hello}}}}
rollout: {{wait: 500ms}}
services:
  db:
    image: tiny
    command: {LOOP!r}
    volumes: ["data:/data"]
    stop_grace_period: 2s
    healthcheck: {{test: {WELL!r}, interval: 200ms}}
  web:
    image: tiny
    command: {LOOP!r}
    environment: {{GREETING: "${{greeting}}"}}
    depends_on: [db]
    stop_grace_period: 2s
"""


@dataclass(frozen=True)
class FleetOnDisk:
    """A fleet of one test's own, and the places of the host that runs it."""

    root: Path
    name: str
    places: Places
    engine: Docker
    import_image: Callable[[str], str]

    def write(self, path: str, text: str) -> None:
        """Write a file of the fleet."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def lock(self) -> None:
        """Write the lock of every image, without packages."""
        fleet = load(self.root)
        for image in fleet.images:
            lock = Lock(image, "amd64", request_of(fleet, image), ())
            self.write(f"locks/{image}.amd64.lock", format_lock(lock))

    def commit(self) -> str:
        """Commit everything; give the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change the fleet")
        return self.git("rev-parse", "HEAD")

    def git(self, *args: str) -> str:
        """Run git in the fleet."""
        done = subprocess.run(["git", *args], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def apply(self, *, allow_empty: bool = False) -> tuple[Plan, list[str]]:
        """Reconcile, with the tiny image for each that is to be built; give the plan and what was told."""
        told: list[str] = []

        def build(wanted: Wanted, images: Sequence[str]) -> None:
            for image in images:
                self.import_image(wanted.references[image, "amd64"])

        git = Repository(self.root)
        steps = reconcile(
            git,
            clean_head(git),
            None,
            self.engine,
            self.places,
            build=build,
            tell=told.append,
            allow_empty=allow_empty,
        )
        return steps, told

    def running(self) -> dict[str, str]:
        """Give the id of each running container by INSTANCE/SERVICE."""
        found = self.engine.containers(self.name, "web1")
        return {one.subject: one.id for one in found if one.state == "running"}


@pytest.fixture
def fleet(
    tmp_path: Path, fleet_name: str, import_image: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FleetOnDisk]:
    """A committed fleet with one image, one app and the instances alice and bob."""
    for variable in [name for name in os.environ if name.startswith("GITOPS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    root = tmp_path / "fleet"
    root.mkdir()
    with Docker() as engine:
        made = FleetOnDisk(root, fleet_name, places(), engine, import_image)
        made.write(
            "fleet.yaml",
            f"name: {fleet_name}\n"
            "archives: {a: {mirror: 'http://mirror.example.org/debian', suites: [trixie]}}\n",
        )
        made.write("images/tiny.yaml", "from: scratch\narchive: a\n")
        made.write("apps/blog.yaml", APP)
        made.write("hosts/web1.yaml", "instances: {alice: {app: blog}, bob: {app: blog}}\n")
        made.lock()
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("config", "user.name", "Test")
        made.git("config", "user.email", "test@example.org")
        made.commit()
        yield made
