"""A host in a storm: agent and engine are killed, its disk fills, its server hangs. What must hold then."""

import hashlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops.agent.rollback import rolled_back
from gitops.deploy.desired import Desired
from gitops.deploy.host import want
from gitops.engine.docker import Docker
from gitops.fleet.load import load
from gitops.images.locks import read_locks
from gitops.render.render import render, write
from gitops.system.places import places
from tests.agent.conftest import LOOP, FleetOnDisk
from tests.engine_fixtures import WELL
from tests.own_engine import OwnEngine

GITOPS = Path(sys.executable).parent / "gitops"
_APP = """\
parameters: {{greeting: {{default: hello}}}}
rollout: {{wait: 300ms, batch: 2}}
services:
  db:
    image: tiny
    command: {loop!r}
    volumes: ["data:/data"]
    stop_grace_period: 1s
    healthcheck: {{test: {well!r}, interval: 200ms}}
  web:
    image: tiny
    command: {loop!r}
    environment: {{GREETING: "${{greeting}}"}}
    mem_limit: {memory}m
    depends_on: [db]
    stop_grace_period: 1s
    healthcheck: {{test: "{health} || exit 1; {well}", interval: 200ms, retries: 1}}
"""


@dataclass
class Host:
    """One host, what git says of it, and what must not be lost.

    Args:
        fleet: the definitions.
        engine: the host's own.
        hung: port of a server that never answers.
        goals: what each commit is to become.
        precious: checksum of what is on each volume.
        instances: greeting of each instance.
        memory: megabytes that each web service may have.
        variable: what tells an image from others.
        sick: whether git's newest version never gets healthy.
        head: git's newest commit.
        sickly: commits of which that is so.
        longest: seconds that each kind of turn took when nothing struck it.
    """

    fleet: FleetOnDisk
    engine: OwnEngine
    hung: int
    goals: dict[str, Desired] = field(default_factory=dict)
    precious: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    memory: int = 64
    variable: str = ""
    sick: bool = False
    head: str = ""
    sickly: set[str] = field(default_factory=set)
    longest: dict[str, float] = field(default_factory=dict)

    def push(self) -> str:
        """Commit what is to be; give the commit."""
        fleet = self.fleet
        health = "false" if self.sick else "true"
        fleet.write("apps/blog.yaml", _APP.format(loop=LOOP, well=WELL, memory=self.memory, health=health))
        fleet.write(
            "images/tiny.yaml",
            f"from: scratch\narchive: a\nenvironment: {{VARIABLE: '{self.variable}'}}\n",
        )
        placed = "".join(
            f"  {name}: {{app: blog, parameters: {{greeting: {word}}}}}\n"
            for name, word in self.instances.items()
        )
        fleet.write("hosts/web1.yaml", f"instances:\n{placed}")
        fleet.lock()
        definitions = load(fleet.root)
        write(fleet.root, render(definitions, read_locks(definitions)))
        commit = fleet.commit()
        self.head = commit
        self.sickly |= {commit} if self.sick else set()
        self.goals[commit] = want(fleet.root, "web1", fleet.places).desired
        return commit

    def remotes(self, *, hung: bool) -> None:
        """Let the agent ask the good server, or first one that hangs."""
        first = f"https://127.0.0.1:{self.hung}/fleet.git, " if hung else ""
        self.fleet.places.config.mkdir(parents=True, exist_ok=True)
        (self.fleet.places.config / "agent.yaml").write_text(
            f"host: web1\nremotes: [{first}{self.fleet.root}]\ntimeout: 1s\ntrust: unsigned\n"
        )

    def tick(self) -> tuple[int, str]:
        """Tick once as a process; give exit status and words."""
        process = self._start("agent", "once")
        told = process.communicate()[0]
        assert "Traceback" not in told, told
        return process.returncode, told

    def strike(self, command: Sequence[str], kind: str, chance: random.Random, *, engine: bool) -> bool:
        """Run a verb, and kill it (or the engine) at a random moment; tell whether that came in time."""
        process, begun = self._start(*command), time.monotonic()
        try:
            process.communicate(timeout=chance.uniform(0, self.longest.setdefault(kind, 3.0)))
        except subprocess.TimeoutExpired:
            if engine:
                self.engine.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            told = process.communicate()[0]
            assert "Traceback" not in told, told
            return True
        self.longest[kind] = time.monotonic() - begun
        return False

    def can_go_back(self) -> bool:
        """Tell whether there is a generation before, which worked, and the host did not go back yet."""
        before = self.fleet.places.state / "before"
        well = before.is_symlink() and before.readlink().name not in self.sickly
        return well and not self.sick and rolled_back(self.fleet.places) is None

    def _start(self, *command: str) -> subprocess.Popen[str]:
        self._provide_images()
        return subprocess.Popen(
            [GITOPS, *command],
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _provide_images(self) -> None:
        """Have what would be built; builds that are cut short are tests/images/test_interrupt's."""
        for commit in list(self.goals)[-4:]:
            for reference in {one.image for one in self.goals[commit].containers}:
                self.fleet.import_image(reference)

    def reboot(self) -> None:
        """Cut the power; what is in memory alone is gone."""
        self.engine.cut_power()
        shutil.rmtree(self.fleet.places.runtime, ignore_errors=True)
        self.engine.boot()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave no room where gitops keeps things."""
        filler = self.fleet.places.state / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 14)):
                pass
        yield
        filler.unlink()

    def assert_is(self, goal: Desired) -> None:
        """Compare the engine, asked behind the program's back, with what is to be there."""
        api = self.engine.api()
        try:
            found: dict[str, dict[str, Any]] = {
                one["Names"][0][1:]: api.inspect_container(one["Id"]) for one in api.containers(all=True)
            }
            networks = {one["Name"] for one in api.networks(filters={"label": "gitops.fleet"})}
            volumes = {one["Name"] for one in api.volumes()["Volumes"] or ()}
        finally:
            api.close()
        assert found.pop("stranger")["Config"]["Labels"] == {"gitops.fleet": "other"}
        assert found.keys() == {spec.name for spec in goal.containers}
        for spec in goal.containers:
            is_ = found[spec.name]
            host = is_["HostConfig"]
            assert is_["State"]["Status"] == "running", spec.name
            assert is_["Config"]["Image"] == spec.image, spec.name
            assert {f"{name}={value}" for name, value in spec.environment} <= set(is_["Config"]["Env"] or ())
            assert host["Memory"] == (spec.mem_limit or 0), spec.name
            assert host["RestartPolicy"]["Name"] == "unless-stopped", spec.name
            assert is_["NetworkSettings"]["Networks"].keys() == {name for name, _ in spec.networks}
            assert {mount["Name"] for mount in is_["Mounts"]} == {one.source for one in spec.volumes}
        assert networks == {one.name for one in goal.networks}
        assert volumes >= self.precious.keys() | {one.name for one in goal.volumes}
        self._assert_precious(volumes)

    def _assert_precious(self, volumes: set[str]) -> None:
        """Write something onto each new volume, and see that it is still there on every other."""
        for name in volumes:
            path = self.engine.data / "volumes" / name / "_data" / "precious"
            if name not in self.precious:
                path.write_bytes(secrets.token_bytes(1 << 12))
                self.precious[name] = _checksum(path)
            assert _checksum(path) == self.precious[name], name


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def host(root: Path, engine: OwnEngine, rootfs: bytes) -> Iterator[Host]:
    """Make a host whose places are on a small disk of their own; `GITOPS_ROOT` and `DOCKER_HOST` are set."""
    disk = Path(os.environ["GITOPS_ROOT"])
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
    api = engine.api()

    def provide(reference: str) -> str:
        repository, _, tag = reference.rpartition(":")
        api.tag("tiny:1", repository, tag)
        return reference

    try:
        api.import_image_from_data(rootfs, repository="tiny", tag="1")
        api.create_container("tiny:1", ["true"], name="stranger", labels={"gitops.fleet": "other"})
        with Docker() as own, socket.create_server(("127.0.0.1", 0)) as hung:
            fleet = FleetOnDisk(root / "fleet", "storm", places(), own, provide)
            fleet.write(
                "fleet.yaml",
                "name: storm\n"
                "archives: {a: {mirror: 'http://mirror.example.org/debian', suites: [trixie]}}\n",
            )
            fleet.git("init", "--quiet", "--initial-branch=main")
            fleet.git("config", "user.name", "Test")
            fleet.git("config", "user.email", "test@example.org")
            made = Host(fleet, engine, hung.getsockname()[1])
            made.remotes(hung=False)
            yield made
    finally:
        api.close()
        subprocess.run(["umount", "--lazy", disk], check=True)
