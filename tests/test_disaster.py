"""A host is lost with everything on it, and comes back from git, its repository and its age key alone."""

import os
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.deploy.host import want
from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from gitops.secrets.age import make_identity
from gitops.system.places import places
from tests.database_fixtures import SERVERS
from tests.engine_fixtures import remove_all

_FILES = {
    "fleet.yaml": """\
name: {name}
archives: {{a: {{mirror: 'http://example.org', suites: [trixie]}}}}
""",
    "images/server.yaml": "from: scratch\narchive: a\n",
    "apps/shop.yaml": """\
rollout: {{wait: 500ms}}
services:
  db:
    image: server
    command: {server}
    volumes: ["data:/var/lib/mysql"]
    healthcheck: {{test: mariadb -e 'SELECT 1', interval: 500ms, start_period: 60s}}
  web:
    image: server
    command: "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"
    volumes: ["uploads:/srv/uploads"]
    depends_on: [db]
    stop_grace_period: 2s
backup:
  databases: [{{service: db, kind: mariadb, all: true}}]
  volumes: [uploads]
""",
    "hosts/web1.yaml": """\
age: {age}
backup: {{repository: {elsewhere}/restic, password: restic}}
instances: {{alice: {{app: shop}}, bob: {{app: shop}}}}
""",
}
_INSTANCES = ("alice", "bob")
_FILL = """\
CREATE DATABASE shop; USE shop;
CREATE TABLE t (n INT PRIMARY KEY, d LONGBLOB);
INSERT INTO t SELECT seq, RANDOM_BYTES(1000) FROM mysql.seq_1_to_200;
CREATE USER ada IDENTIFIED BY 'secret'; GRANT SELECT ON shop.* TO ada;
"""


@dataclass(frozen=True)
class Machine:
    """What a machine has that runs the fleet; `elsewhere` is all that outlives it.

    Args:
        name: the fleet's name.
        disk: the machine's own: its clone of the fleet, and the directories of gitops.
        elsewhere: other machines': the git server, the backup repository, the safe with the age key.
        api: its engine.
    """

    name: str
    disk: Path
    elsewhere: Path
    api: APIClient

    @property
    def fleet(self) -> Path:
        return self.disk / "fleet"

    def gitops(self, *words: str, stdin: str = "") -> str:
        """Run a verb in the fleet, to its good end."""
        command = [sys.executable, "-m", "gitops", *words]
        done = subprocess.run(
            command, cwd=self.fleet, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def git(self, *words: str | Path, where: Path | None = None) -> None:
        subprocess.run(["git", *words], cwd=where or self.fleet, check=True, capture_output=True)

    def execute(self, container: str, *command: str, stdin: str = "") -> str:
        """Run a command in a container, as its root, to its good end."""
        words = ["docker", "exec", "--interactive", f"{self.name}.{container}", *command]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, instance: str, statements: str) -> str:
        return self.execute(f"{instance}.db", "mariadb", "--batch", "--skip-column-names", stdin=statements)

    def uploads(self, instance: str) -> Path:
        found: str = self.api.inspect_volume(f"{self.name}.{instance}.uploads")["Mountpoint"]
        return Path(found)

    def data(self, instance: str) -> list[object]:
        """Give everything that an instance must not lose: rows, users, and files with all that they have."""
        rows = self.sql(instance, "CHECKSUM TABLE shop.t; SHOW GRANTS FOR ada; SHOW CREATE USER ada;")
        top = self.uploads(instance)
        return [rows, *sorted(_told(path, top) for path in [top, *top.rglob("*")])]

    def lose(self, what: str, *names: str) -> None:
        """Have the engine lose containers or volumes."""
        full = [f"{self.name}.{name}" for name in names]
        subprocess.run(["docker", what, "rm", "--force", *full], check=True, capture_output=True)


def _told(path: Path, top: Path) -> tuple[object, ...]:
    of = path.lstat()
    attributes = {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path)}
    content = path.read_bytes() if stat.S_ISREG(of.st_mode) else b""
    own = (of.st_mode, of.st_uid, of.st_gid, of.st_mtime_ns, sorted(attributes.items()), content)
    return (str(path.relative_to(top)), *own)


@pytest.fixture(scope="module")
def machine(
    api: APIClient, database_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A host whose two instances have data of their own, and a backup each."""
    root = tmp_path_factory.mktemp("disaster")
    made = Machine(f"test-{uuid.uuid4().hex[:8]}", root / "disk", root / "elsewhere", api)
    made.elsewhere.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("GITOPS_")]:
            patch.delenv(variable)
        patch.setenv("GITOPS_ROOT", str(made.disk))
        _write(made)
        (reference,) = want(made.fleet, None, places()).references.values()
        repository, _, tag = reference.rpartition(":")
        api.tag(database_image, repository, tag)  # instead of `gitops build`, which takes a minute
        try:
            made.gitops("apply")
            for instance in _INSTANCES:
                _fill(made, instance)
            made.gitops("backup", "run", "--all")
            yield made
        finally:
            remove_all(api, made.name)
            api.remove_image(reference)


def _write(machine: Machine) -> None:
    """Write the fleet, and bring it and the host's key to where they outlive the machine."""
    key = places().config / "age.key"
    values = {
        "name": machine.name,
        "server": repr(SERVERS["mariadb"].replace("$", "$$")),
        "age": make_identity(key),
        "elsewhere": machine.elsewhere,
    }
    shutil.copy(key, machine.elsewhere / "age.key")
    for name, text in _FILES.items():
        (machine.fleet / name).parent.mkdir(parents=True, exist_ok=True)
        (machine.fleet / name).write_text(text.format(**values))
    machine.gitops("secret", "set", "restic", stdin="correct horse battery staple")
    _lock(machine.fleet)
    machine.git("init", "--quiet", "--initial-branch=main")
    machine.git("config", "user.name", "Test")
    machine.git("config", "user.email", "test@example.org")
    machine.git("add", "--all")
    machine.git("commit", "--quiet", "--message", "Start the fleet")
    remote = machine.elsewhere / "fleet.git"
    machine.git("clone", "--quiet", "--bare", machine.fleet, remote, where=machine.elsewhere)


def _lock(root: Path) -> None:
    fleet = load(root)
    text = format_lock(Lock("server", "amd64", request_of(fleet, "server"), ()))
    (root / "locks").mkdir()
    (root / "locks/server.amd64.lock").write_text(text)


def _fill(machine: Machine, instance: str) -> None:
    machine.sql(instance, _FILL)
    script = """\
        cd /srv/uploads; mkdir -m 2770 "2025 größe"; echo "$1" >"2025 größe/photo"
        ln -s photo "2025 größe/link"
        printf secret >hidden; chmod 600 hidden; chown -R www-data:www-data .; touch -d 2001-02-03 hidden
    """
    machine.execute(f"{instance}.web", "sh", "-c", script, "-", instance)
    os.setxattr(machine.uploads(instance) / "hidden", "user.origin", instance.encode())


def test_a_volume_that_is_destroyed_comes_back(machine: Machine) -> None:
    before = [machine.data(instance) for instance in _INSTANCES]
    machine.lose("container", "alice.web")
    machine.lose("volume", "alice.uploads")
    machine.gitops("apply")
    assert machine.data("alice") != before[0]
    machine.gitops("backup", "restore", "alice")
    assert [machine.data(instance) for instance in _INSTANCES] == before


def test_a_host_comes_back_from_git_its_repository_and_its_age_key_alone(machine: Machine) -> None:
    before = [machine.data(instance) for instance in _INSTANCES]
    remove_all(machine.api, machine.name)
    shutil.rmtree(machine.disk)

    machine.git("clone", "--quiet", machine.elsewhere / "fleet.git", machine.fleet, where=machine.elsewhere)
    place = places().config
    place.mkdir(parents=True)
    shutil.copy(machine.elsewhere / "age.key", place / "age.key")
    machine.gitops("apply")
    machine.gitops("backup", "restore", "--all")

    assert [machine.data(instance) for instance in _INSTANCES] == before
    machine.sql("alice", "INSERT INTO shop.t VALUES (1000, 'life goes on')")
    machine.gitops("backup", "run", "--all")
