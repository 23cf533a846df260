"""A host with many instances on an engine of its own: a hundred networks are more than one has by default.

What is held against it are the same containers and networks: as requests for the docker SDK, and as a project
for compose.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.figure import Run, run
from bench.stage import GITOPS, PYTHON
from gitops.deploy.host import Wanted, want
from gitops.engine.request import create_request
from gitops.fleet.load import load
from gitops.images.locks import read_locks
from gitops.render.render import render, write
from gitops.system.places import Places
from tests.agent.conftest import FleetOnDisk
from tests.engine_fixtures import busybox
from tests.own_engine import OwnEngine, own_engine

WAIT = 1.0
"""Seconds that a container without a healthcheck must have run; a roll-out waits so long for each batch."""

BATCH = 10
_BARE = Path(__file__).with_name("bare_engine.py")
_APP = f"""\
rollout: {{batch: {BATCH}, wait: {WAIT:g}s}}
services:
  web:
    image: tiny
    command: [sh, -c, "trap 'exit 0' TERM; sleep 1000000 & wait"]
    environment: {{GREETING: hello}}
"""


@dataclass(frozen=True)
class Host:
    """A host, and the fleet that says what it runs.

    Args:
        fleet: the fleet, in git.
        engine: the host's own.
        env: variables for what works on this host.
        name: the fleet's.
    """

    fleet: FleetOnDisk
    engine: OwnEngine
    env: dict[str, str]

    @property
    def directory(self) -> Path:
        """Where everything of it is."""
        return self.fleet.root.parent

    def gitops(self, *words: str) -> Run:
        """Run a verb."""
        return run(GITOPS, *words, env=self.env, cwd=self.fleet.root)

    def turn(self, number: int) -> None:
        """Commit an image that differs from the one of any other turn, and have it on the engine."""
        self.fleet.write(
            "images/tiny.yaml", f"from: scratch\narchive: a\nenvironment: {{TURN: '{number}'}}\n"
        )
        self.fleet.lock()
        definitions = load(self.fleet.root)
        write(self.fleet.root, render(definitions, read_locks(definitions)))
        self.fleet.commit()
        for reference in self.wanted().references.values():
            self.fleet.import_image(reference)

    def wanted(self) -> Wanted:
        """Give what the fleet says of this host."""
        return want(self.fleet.root, "web1", self.fleet.places)

    def bare(self, verb: str, suffix: str = "") -> Run:
        """Do the same with the docker SDK alone, from 8 threads; see `bare_engine.py`.

        Args:
            verb: what is to be done.
            suffix: what tells the names of these containers and networks from ours.
        """
        wanted = self.wanted().desired
        fleet = self.fleet.name + suffix
        mine = [
            replace(
                one, name=one.name + suffix, networks=tuple((name + suffix, of) for name, of in one.networks)
            )
            for one in wanted.containers
        ]
        path = self.directory / "requests.json"
        requests = {
            "networks": [one.name + suffix for one in wanted.networks],
            "containers": {one.name: create_request(one, fleet, "web1", "0" * 40) for one in mine},
        }
        path.write_text(json.dumps(requests))
        return run(PYTHON, _BARE, verb, path, env=self.env)

    def compose_file(self) -> Path:
        """Write the same containers and networks as a project for compose."""
        wanted = self.wanted().desired
        project = {
            "name": "compose",
            "networks": {one.instance: {} for one in wanted.networks},
            "services": {
                one.instance: {
                    "image": one.image,
                    "command": list(one.command or ()),
                    "environment": dict(one.environment),
                    "networks": [one.instance],
                    "restart": one.restart,
                    "cap_drop": ["ALL"],
                    "cap_add": list(one.capabilities),
                }
                for one in wanted.containers
            },
        }
        path = self.directory / "compose.yaml"
        path.write_text(json.dumps(project))  # JSON is YAML
        return path

    def clear(self) -> None:
        """Remove every container and network; in the time of nobody."""
        run(PYTHON, _BARE, "clear", env=self.env)

    def sweep(self) -> None:
        """Remove the containers that were stopped."""
        run(PYTHON, _BARE, "sweep", env=self.env)


@contextmanager
def host(count: int, jobs: str = "") -> Iterator[Host]:
    """Make a host with so many instances of a small app, none of them started; nothing is left of it.

    Args:
        count: how many.
        jobs: what the app says of its jobs, in YAML.
    """
    with tempfile.TemporaryDirectory(prefix="gitops-bench-") as directory, own_engine() as engine:
        root = Path(directory)
        env = {**os.environ, "GITOPS_ROOT": str(root / "host"), "DOCKER_HOST": engine.address}
        api = engine.api()
        (root / "busybox").mkdir()
        api.import_image_from_data(busybox(root / "busybox"), repository="tiny", tag="1")

        def provide(reference: str) -> str:
            repository, _, tag = reference.rpartition(":")
            api.tag("tiny:1", repository, tag)
            return reference

        fleet = FleetOnDisk(root / "fleet", "hundred", _places(root / "host"), None, provide)  # type: ignore[arg-type]  # it is not asked
        made = Host(fleet, engine, env)
        archive = "{mirror: 'http://mirror.example.org/debian', suites: [trixie]}"
        fleet.write("fleet.yaml", f"name: {fleet.name}\narchives: {{a: {archive}}}\n")
        fleet.write("apps/small.yaml", _APP + jobs)
        placed = "".join(f"  i{number:03}: {{app: small}}\n" for number in range(count))
        fleet.write("hosts/web1.yaml", f"instances:\n{placed}")
        for words in (("init", "--quiet", "--initial-branch=main"), ("config", "user.name", "bench")):
            fleet.git(*words)
        fleet.git("config", "user.email", "bench@example.org")
        made.turn(0)
        fleet.places.config.mkdir(parents=True)
        (fleet.places.config / "agent.yaml").write_text(
            f"host: web1\nremotes: [{fleet.root}]\ntrust: unsigned\npoll: 1s\njitter: 0\n"
        )
        try:
            yield made
        finally:
            api.close()


def _places(root: Path) -> Places:
    return Places(
        config=root / "etc/gitops",
        state=root / "var/lib/gitops",
        cache=root / "var/cache/gitops",
        runtime=root / "run/gitops",
        cron=root / "etc/cron.d",
    )
