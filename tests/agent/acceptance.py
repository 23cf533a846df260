"""A host with many instances, an agent that follows a signed branch, and a hand that kills it at work."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from gitops.debian.packages import Package
from gitops.deploy.host import want
from gitops.engine.docker import Docker
from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import read_locks, request_of
from gitops.render.render import render, write
from gitops.system.places import places
from tests.agent.conftest import LOOP, FleetOnDisk
from tests.agent.server import Person, Server, agent_settings, person
from tests.engine_fixtures import WELL
from tests.own_engine import own_engine

GITOPS = Path(sys.executable).parent / "gitops"
_APP = """\
rollout: {{wait: 300ms, batch: 10%}}
services:
  web:
    image: tiny
    command: {loop!r}
    volumes: ["data:/data"]
    mem_limit: {memory}m
    stop_grace_period: 1s
    healthcheck: {{test: "$$HEALTH || exit 1; {well}", interval: {interval}ms, retries: 1}}
"""


@dataclass
class Host:
    """One host, and what git says of it.

    Args:
        fleet: the definitions, and the places of the host.
        server: the repository in which people commit.
        ada: whom the host trusts.
        api: the host's engine, asked behind the program's back.
        rootfs: what images are made of.
        instances: their names.
        interval: milliseconds between two healthchecks of each.
        version: of the one package in the image.
        health: the command of every healthcheck, part of the image.
        memory: megabytes that each container may have.
    """

    fleet: FleetOnDisk
    server: Server
    ada: Person
    api: APIClient
    rootfs: bytes
    instances: list[str]
    interval: int
    version: str = "1"
    health: str = "true"
    memory: int = 64

    def push(self, *, signed: bool = True) -> str:
        """Commit what is to be, and have its image; give the commit."""
        fleet = self.fleet
        app = _APP.format(loop=LOOP, well=WELL, memory=self.memory, interval=self.interval)
        fleet.write("apps/blog.yaml", app)
        fleet.write(
            "images/tiny.yaml", f"from: scratch\narchive: a\nenvironment: {{HEALTH: '{self.health}'}}\n"
        )
        fleet.write(
            "hosts/web1.yaml", "instances:\n" + "".join(f"  {one}: {{app: blog}}\n" for one in self.instances)
        )
        request = request_of(load(fleet.root), "tiny")
        package = Package(
            "curl", self.version, "amd64", "curl", "a", "trixie", "pool/x.deb", 1, self.version * 64
        )
        fleet.write("locks/tiny.amd64.lock", format_lock(Lock("tiny", "amd64", request, (package,))))
        definitions = load(fleet.root)
        write(fleet.root, render(definitions, read_locks(definitions)))
        for reference in want(fleet.root, "web1", fleet.places).references.values():
            fleet.import_image(reference)
        return self.server.commit(self.ada.signing if signed else ())

    def provide(self, reference: str) -> str:
        """Have an image, whose healthcheck turns out as git says now; killed builds are tests/images'."""
        repository, _, tag = reference.rpartition(":")
        changes = [f"ENV HEALTH={self.health}"]
        self.api.import_image_from_data(self.rootfs, repository=repository, tag=tag, changes=changes)
        return reference

    def tick(self) -> tuple[int, str]:
        """Tick once; give the exit status and what was said."""
        return self.gitops("agent", "once")

    def kill_tick(self, at: str) -> None:
        """Tick, and kill it with SIGKILL as soon as it says something with these words."""
        with self._start("agent", "once") as process:
            told = ""
            for line in process.stdout or ():
                told += line
                if at in line:
                    os.killpg(process.pid, signal.SIGKILL)
                    break
            else:
                raise AssertionError(f"the tick never said {at}:\n{told}")

    def tick_and(self, at: str, do: Callable[[], object]) -> tuple[int, str]:
        """Tick, and do something when it says something with these words; give exit status and words."""
        with self._start("agent", "once") as process:
            told, done = "", False
            for line in process.stdout or ():
                told += line
                if at in line and not done:
                    do()
                    done = True
        assert done, f"the tick never said {at}:\n{told}"
        assert "Traceback" not in told, told
        return process.returncode, told

    def gitops(self, *words: str) -> tuple[int, str]:
        """Run a verb; give the exit status and what was said."""
        with self._start(*words) as process:
            told = process.communicate()[0]
        assert "Traceback" not in told, told
        return process.returncode, told

    def status(self) -> dict[str, Any]:
        """Give what the host says of itself, and how that exits."""
        exit_status, told = self.gitops("status", "--json", "--exit-code")
        return {**json.loads(told), "exit": exit_status}

    def lives(self, names: Iterable[str] | None = None) -> dict[str, tuple[str, str, str]]:
        """Give the id, image and starting time of containers, or of all, by name; all of them must run."""
        found = {}
        for one in names or [one["Id"] for one in self.api.containers(all=True)]:
            told = self.api.inspect_container(one)
            assert told["State"]["Status"] == "running", told["Name"]
            found[told["Name"][1:]] = (told["Id"], told["Config"]["Image"], told["State"]["StartedAt"])
        return found

    def assert_is(self, *, image: str | None = None) -> dict[str, tuple[str, str, str]]:
        """See that every instance runs git's image (or another), healthy; give their lives."""
        (wanted,) = want(self.fleet.root, "web1", self.fleet.places).references.values()
        lives = self.lives()
        assert lives.keys() == {f"accepted.{one}.web" for one in self.instances}
        assert {life[1] for life in lives.values()} == {image or wanted}
        assert all("(healthy)" in one["Status"] for one in self.api.containers())
        return lives

    def _start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [GITOPS, *words],
            cwd="/",
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def host(root: Path, rootfs: bytes, count: int, disk: Path | None = None) -> Iterator[Host]:
    """Make a host with so many instances placed on it, none of them started, on an engine of its own.

    Args:
        root: where the fleet, and the host's places, are.
        rootfs: what images are made of.
        count: of instances.
        disk: where the engine keeps everything; None: anywhere.
    """
    with own_engine(disk) as engine, Docker() as own, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITOPS_ROOT", str(root / "host"))
        patch.setenv("DOCKER_HOST", engine.address)
        api = engine.api()
        server, ada = Server(root / "fleet"), person(root, "ada")
        server.begin()
        fleet = FleetOnDisk(server.root, "accepted", places(), own, lambda reference: made.provide(reference))  # noqa: PLW0108  # it is made below
        names = [f"i{number:03}" for number in range(count)]
        # The more there are, the more rarely each is asked how it is, or nothing else would be done here.
        made = Host(fleet, server, ada, api, rootfs, names, interval=200 + 30 * count)
        archive = "{mirror: 'http://mirror.example.org/debian', suites: [trixie]}"
        fleet.write("fleet.yaml", f"name: {fleet.name}\narchives: {{a: {archive}}}\n")
        fleet.places.config.mkdir(parents=True)
        (fleet.places.config / "signers").write_text(ada.line)
        text = f"host: web1\nremotes: [{server.root}]\ntrust: {{signers: signers}}\n"
        agent_settings(fleet.places, text)
        try:
            yield made
        finally:
            api.close()
