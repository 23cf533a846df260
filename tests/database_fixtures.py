"""A fleet of one instance, really running: a MariaDB from Debian's packages beside a service with a volume.

The image is built once a machine and kept; the containers live as long as the session; what is in them, and
where gitops keeps its things, is new for each test.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, MountSpec, NetworkSpec, VolumeSpec
from gitops.fleet.fleet import Fleet, Instance
from gitops.fleet.load import load
from gitops.system.places import Places, places
from tests.engine_fixtures import debian_image, remove_all
from tests.quick_repository import know_password, make_quick

DATABASE = "shop-1"
INSTANCE = "alice"
HOST = "web1"

_NO_SERVICES = (
    r"""printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d" """
)
_DATABASES = ("mariadb-server", "postgresql", "redis-server", "sqlite3")
SERVERS = {
    "mariadb": "install -d -o mysql /run/mysqld && exec mariadbd --user=mysql --innodb-buffer-pool-size=32M",
    "postgresql": "exec pg_ctlcluster --foreground $(ls /etc/postgresql) main start",
    "redis": "exec setpriv --reuid=redis --regid=redis --init-groups redis-server --dir /var/lib/redis",
}
"""Shell commands that start a server of the image, by kind."""
IDLE = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait; done")
_APP = f"""
services:
  db: {{image: server, volumes: [data:/var/lib/mysql]}}
  web: {{image: server, volumes: [uploads:/srv/uploads]}}
backup:
  databases: [{{service: db, kind: mariadb, name: {DATABASE}}}]
  volumes: [uploads]
rollout: {{wait: 0.5}}
jobs:
"""


@dataclass(frozen=True)
class Site:
    """The running instance, and a fleet's directory that describes it."""

    name: str
    root: Path
    engine: Docker
    places: Places
    repository: Path

    @property
    def fleet(self) -> Fleet:
        return load(self.root)

    @property
    def instance(self) -> Instance:
        return self.fleet.instance(HOST, INSTANCE)

    @property
    def uploads(self) -> Path:
        """The volume, from outside."""
        return self.engine.volume_path(f"{self.name}.{INSTANCE}.uploads")

    def container(self, service: str) -> str:
        return f"{self.name}.{INSTANCE}.{service}"

    def execute(self, service: str, *command: str, stdin: bytes = b"") -> bytes:
        """Run a command in a container to its good end and give its output."""
        with self.engine.exec(self.container(service), command, user="root", stdin=[stdin]) as stream:
            output = b"".join(stream)
            assert stream.wait() == 0, stream.stderr
            return output

    def sql(self, statements: str, database: str = DATABASE) -> str:
        """Ask the database; rows as lines, columns apart by tabs."""
        client = ("mariadb", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", database)
        return self.execute("db", *client, stdin=statements.encode()).decode()

    def processes(self, service: str, word: str) -> list[str]:
        """List the processes of a container whose command line holds a word, by number."""
        script = (
            'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline 2>/dev/null'
            ' | grep -q -- "$1" && echo "${p#/proc/}"; done; :'
        )
        found = self.execute(service, "sh", "-c", script, "-", f"[{word[0]}]{word[1:]}")
        return found.decode().split()

    def gitops(self, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start gitops as a program of its own; variables are added to its environment."""
        return subprocess.Popen(
            [sys.executable, "-m", "gitops", *words, "--fleet", self.root],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def define_jobs(self, jobs: str) -> None:
        """Say which jobs the instance has."""
        (self.root / "apps" / "shop.yaml").write_text(f"{_APP}{jobs}")


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def database_image(api: APIClient) -> str:
    """An image with Debian's databases."""
    return have_database_image(api)


def have_database_image(api: APIClient) -> str:
    """Have that image; it stays on the machine, since building it takes a minute. Give its reference."""
    hook = f'mkdir -p "$1/usr/sbin"; {_NO_SERVICES}'
    with tempfile.TemporaryDirectory() as directory:
        return debian_image(api, "databases", _DATABASES, Path(directory), hook)


@pytest.fixture(scope="session")
def running(api: APIClient, database_image: str) -> Iterator[str]:
    """The instance's containers, and the name of the fleet that they belong to."""
    fleet, engine = f"test-{uuid.uuid4().hex[:8]}", Docker()
    try:
        network = f"{fleet}.{INSTANCE}.default"
        engine.ensure_network(NetworkSpec(network, INSTANCE, "default"), fleet, HOST)
        for service, command, volume, target in (
            ("db", ("sh", "-c", SERVERS["mariadb"]), "data", "/var/lib/mysql"),
            ("web", IDLE, "uploads", "/srv/uploads"),
        ):
            full = f"{fleet}.{INSTANCE}.{volume}"
            engine.ensure_volume(VolumeSpec(full, INSTANCE, volume), fleet, HOST)
            spec = ContainerSpec(
                name=f"{fleet}.{INSTANCE}.{service}",
                instance=INSTANCE,
                service=service,
                image=database_image,
                image_name="server",
                networks=((network, (service,)),),
                command=command,
                volumes=(MountSpec("volume", full, target),),
                capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
            )
            engine.create(spec, fleet, HOST, "c0ffee")
            engine.start(spec.name)
        until(lambda: _answers(engine, f"{fleet}.{INSTANCE}.db"))
        yield fleet
    finally:
        remove_all(api, fleet)


def _answers(engine: Docker, container: str) -> bool:
    with engine.exec(container, ["mariadb", "-e", "SELECT 1"]) as stream:
        return stream.wait() == 0


@pytest.fixture
def site(running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The instance with an empty database and an empty volume, and a place of its own for gitops."""
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    root, repository = tmp_path / "fleet", tmp_path / "repository"
    for name, text in _definitions(running, repository).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    made = Site(running, root, Docker(), places(), repository)
    make_quick(repository)
    know_password(made.places)
    made.define_jobs("  nothing: {service: web, schedule: '0 0 1 1 *', command: ['true']}\n")
    made.sql(f"DROP DATABASE IF EXISTS `{DATABASE}`; CREATE DATABASE `{DATABASE}`;", "mysql")
    made.execute("web", "find", "/srv/uploads", "-mindepth", "1", "-delete")
    yield made
    for service in ("db", "web"):
        made.engine.start(made.container(service))
    with contextlib.suppress(AssertionError):
        made.execute("db", "rm", "-f", "/usr/local/bin/mariadb-dump")


def _definitions(name: str, repository: Path) -> dict[str, str]:
    return {
        "fleet.yaml": f"name: {name}\n"
        "archives: {here: {mirror: 'http://example.org', suites: [stable]}}\n",
        "images/server.yaml": "from: scratch\narchive: here\n",
        f"hosts/{HOST}.yaml": f"backup:\n  repository: '{repository}'\n  keep: {{last: 2}}\n"
        f"  limits: {{nice: 0}}\ninstances: {{{INSTANCE}: {{app: shop}}}}\n",
        "apps/shop.yaml": _APP,
    }
