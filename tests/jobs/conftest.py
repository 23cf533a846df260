"""A service that runs in a tiny container, and a host that has its jobs' definitions."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import APIError

from gitops.engine import labels
from gitops.engine.docker import Docker
from gitops.engine.specification import MountSpec, NetworkSpec, VolumeSpec
from gitops.jobs.definition import Definition
from gitops.jobs.ended import JobRun
from gitops.jobs.run import run_job
from gitops.jobs.running import notes
from gitops.render.jobs import job_files
from gitops.report.history import Run, runs
from gitops.system.places import Places, places
from tests.engine_fixtures import container

HOST = "web1"
INSTANCE = "alice"
COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Service:
    """A service's container, and the host that runs its jobs."""

    fleet: str
    image: str
    places: Places
    engine: Docker = field(default_factory=Docker)

    @property
    def name(self) -> str:
        return f"{self.fleet}.{INSTANCE}.web"

    @property
    def id(self) -> str:
        (found,) = self.engine.named([self.name])
        return found.id

    def start(self, name: str = "", **fields: object) -> str:
        """Make and start the service's container; give its id."""
        network = f"{self.fleet}.{INSTANCE}.default"
        self.engine.ensure_network(NetworkSpec(network, INSTANCE, "default"), self.fleet, HOST)
        volume = f"{self.fleet}.{INSTANCE}.files"
        self.engine.ensure_volume(VolumeSpec(volume, INSTANCE, "files"), self.fleet, HOST)
        told = {"volumes": (MountSpec("volume", volume, "/data"),), "mem_limit": 64 << 20, **fields}
        spec = container(self.fleet, f"{INSTANCE}/web", self.image, **{"name": name or self.name, **told})
        made = self.engine.create(spec, self.fleet, HOST, COMMIT)
        self.engine.start(made)
        return made

    def job(self, *command: str, **fields: object) -> Definition:
        """Define a job of the service; a single word is a text for the shell."""
        words = ("sh", "-c", *command) if len(command) == 1 else command
        told = {
            "instance": INSTANCE,
            "name": "tick",
            "service": "web",
            "command": words,
            "schedule": "* * * * *",
            **fields,
        }
        return Definition(self.fleet, HOST, **told)  # type: ignore[arg-type]  # a test's own

    def run(self, *command: str, **fields: object) -> JobRun:
        """Run such a job in this process."""
        return run_job(self.job(*command, **fields), self.places)

    def define(self, *jobs: Definition) -> None:
        """Make this the host of a generation that has these jobs, and no others."""
        directory = self.places.state / "generations" / COMMIT / "rendered" / "hosts" / HOST / "jobs"
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in job_files(jobs).items():
            (directory / name).write_text(text)
        (self.places.state / "host").write_text(f"{HOST}\n")
        with suppress(FileExistsError):
            (self.places.state / "current").symlink_to(Path("generations", COMMIT))

    def gitops(self, *words: str) -> subprocess.Popen[bytes]:
        """Start gitops as a program of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "gitops", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    @property
    def past(self) -> list[Run]:
        """The history, newest first."""
        return runs(self.places, kind="job")

    def output(self, run: Run | None = None) -> bytes:
        """Give what a run's log has; the newest one's, if none is named."""
        name = (run or self.past[0]).log
        return (self.places.state / name).read_bytes() if name else b""

    def has_said(self, text: bytes) -> bool:
        """Tell whether a job that runs has said something, and its log has it."""
        logs = [self.places.state / note.log for note, _ in notes(self.places) if note.log]
        return any(text in log.read_bytes() for log in logs if log.exists())

    def touch(self, path: str) -> None:
        """Make a file in the container."""
        with self.engine.exec(self.name, ["touch", path]) as stream:
            assert stream.wait() == 0

    def processes(self, word: str, name: str = "") -> list[int]:
        """List the processes of a container whose command line holds a word, as the host numbers them."""
        try:
            found = self.engine._api.top(name or self.name, "-eo pid,args")["Processes"]  # noqa: SLF001 # to look behind it
        except APIError:  # it does not run yet, or not any more
            return []
        return [int(pid) for pid, line in found or () if word in line]


@pytest.fixture(scope="module")
def running(api: APIClient, image: str) -> Iterator[str]:
    """The name of a fleet whose service runs for all tests of a module."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    with Docker() as engine:
        Service(name, image, places(), engine).start()
        yield name
    _sweep(api, name)


@pytest.fixture
def service(running: str, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The module's service, for tests that leave it as it is; the host is new."""
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    with Docker() as engine:
        yield Service(running, image, places(), engine)


@pytest.fixture
def own(
    api: APIClient, fleet_name: str, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """A service of a test's own, which may break it; it runs already."""
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    with Docker() as engine:
        made = Service(fleet_name, image, places(), engine)
        made.start()
        yield made
    _sweep(api, fleet_name)


def _sweep(api: APIClient, fleet: str) -> None:
    filters = {"label": f"{labels.FLEET}={fleet}"}
    for one in {
        one["Id"] for one in (*api.containers(all=True, filters=filters), *_own_containers(api, fleet))
    }:
        api.remove_container(one, force=True, v=True)
    for network in api.networks(filters=filters):
        api.remove_network(network["Id"])
    for volume in api.volumes(filters=filters)["Volumes"] or ():
        api.remove_volume(volume["Name"], force=True)


def _own_containers(api: APIClient, fleet: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = api.containers(all=True, filters={"name": f"{fleet}."})
    return found
