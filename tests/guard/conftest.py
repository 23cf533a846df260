"""A small fleet in git, ready to be deployed, and a bare repository that only takes what is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.images.locks import read_locks
from gitops.render.render import render, write
from tests.agent.server import Person, person
from tests.git.servers import HttpServer, SshServer, http_server, ssh_server
from tests.render.conftest import FILES, locked

GITOPS = Path(sys.executable).with_name("gitops")
PERSON = {
    f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@dataclass(frozen=True)
class Work:
    """Somebody's clone of the fleet."""

    root: Path

    def git(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run git there; its hooks must find gitops by themselves."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        environment = {**bare, **PERSON, "GIT_CONFIG_GLOBAL": "/dev/null", **path, **variables}
        return subprocess.run(
            ["git", *words], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )

    def ok(self, *words: str, **variables: str) -> str:
        """Run git there, which must succeed."""
        done = self.git(*words, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, *options: str, subject: str = "Change") -> str:
        """Commit everything, whatever hooks say; give the commit."""
        self.ok("add", "--all")
        self.ok(*options, "commit", "--quiet", "--allow-empty", "--no-verify", f"--message={subject}")
        return self.ok("rev-parse", "HEAD")

    def refused(self, *words: str) -> str:
        """Push, which must be refused; give what the server says."""
        done = self.git("push", "--quiet", *words)
        assert done.returncode != 0, done.stderr
        return done.stderr

    def render(self) -> None:
        """Lock and render what the definitions say now."""
        fleet = locked(self.root)
        write(self.root, render(fleet, read_locks(fleet)))


@dataclass(frozen=True)
class Bare:
    """A repository on a server."""

    root: Path

    def git(self, *words: str) -> str:
        """Run git there."""
        done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def branches(self) -> dict[str, str]:
        """Give what each reference points to."""
        lines = self.git("for-each-ref", "--format=%(refname:short) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)


def gitops(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run gitops as its user does."""
    return subprocess.run([GITOPS, *words], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def _ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ready") / "fleet"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    work = Work(root)
    work.render()
    work.ok("init", "--quiet", "--initial-branch=main")
    work.commit(subject="Begin")
    return root


@pytest.fixture
def work(tmp_path: Path, _ready: Path) -> Work:
    """A clone whose one commit is ready to be deployed."""
    return Work(shutil.copytree(_ready, tmp_path / "fleet"))


@pytest.fixture
def bare(tmp_path: Path, work: Work) -> Bare:
    """An empty repository with the server's hooks, which the clone calls `origin`."""
    root = tmp_path / "served/fleet.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", root], check=True)
    done = gitops("hooks", "install", "--server", cwd=root)
    assert done.returncode == 0, done.stderr
    work.ok("remote", "add", "origin", str(root))
    return Bare(root)


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A server that lets the user of the tests in."""
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as server:
        yield server


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpServer]:
    """A server of what is below `served`."""
    with http_server(tmp_path / "served") as server:
        yield server


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Person]:
    """Make people with keys, each once."""
    directory, made = tmp_path_factory.mktemp("people"), dict[str, Person]()

    def make(name: str) -> Person:
        return made.setdefault(name, made.get(name) or person(directory, name))

    return make
