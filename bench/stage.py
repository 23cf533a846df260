"""Where measuring happens: a starter fleet of its own, names that nothing else has, and no trace left."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run as call

from bench.figure import Run, run

PYTHON = sys.executable
GITOPS = str(Path(sys.executable).with_name("gitops"))
_CACHE = Path(__file__).parent.parent / ".demo/bench"
"""The store of .debs, kept so that the mirror is not asked again; `make demo-clean` removes it."""


@dataclass(frozen=True)
class Stage:
    """A starter fleet in git.

    Args:
        root: the fleet.
        name: its name.
        env: the environment that keeps everything of it in one directory.
    """

    root: Path
    name: str
    env: dict[str, str]

    @property
    def cache(self) -> Path:
        """Where it keeps what can be made again."""
        return Path(self.env["GITOPS_CACHE"])

    def gitops(self, *words: str) -> Run:
        """Run a verb in the fleet."""
        return run(GITOPS, *words, env=self.env, cwd=self.root)

    def commit(self) -> None:
        """Commit all there is."""
        who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
        run("git", "add", "--all", env=self.env, cwd=self.root)
        run("git", *who, "commit", "--quiet", "--message=State", env=self.env, cwd=self.root)


@contextmanager
def starter() -> Iterator[Stage]:
    """Write the starter fleet and commit it; everything is gone afterwards, containers and images too."""
    directory = Path(tempfile.mkdtemp(prefix="gitops-bench-"))
    name = directory.name.lower().replace("_", "x")[:40]
    env = {**os.environ, "GITOPS_ROOT": str(directory / "host"), "GITOPS_CACHE": str(_CACHE)}
    stage = Stage(directory / "fleet", name, env)
    try:
        run(
            *(GITOPS, "init", stage.root, "--name", name, "--host", "web1", "--web-port", "28001"),
            *("--backup-repository", str(directory / "restic")),
            env=env,
        )
        if not (stage.root / ".git").exists():
            run("git", "init", "--quiet", cwd=stage.root)
        stage.commit()
        yield stage
    finally:
        _sweep(name)
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def fleet(files: Mapping[str, str]) -> Iterator[Stage]:
    """Write a fleet of these files, path to text, with a cache of its own, lock it and commit it."""
    directory = Path(tempfile.mkdtemp(prefix="gitops-bench-"))
    env = {**os.environ, "GITOPS_ROOT": str(directory / "host"), "GITOPS_CACHE": str(directory / "cache")}
    stage = Stage(directory / "fleet", directory.name, env)
    try:
        for path, text in files.items():
            (stage.root / path).parent.mkdir(parents=True, exist_ok=True)
            (stage.root / path).write_text(text)
        run("git", "init", "--quiet", "--initial-branch=main", cwd=stage.root)
        stage.gitops("lock")
        stage.commit()
        yield stage
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def docker(*words: str) -> list[str]:
    """Ask the engine something; give the words of its answer."""
    return call(["docker", *words], capture_output=True, text=True, check=False).stdout.split()


def _sweep(name: str) -> None:
    mine = ("--quiet", "--filter", f"label=gitops.fleet={name}")
    for kind, remove in (
        (("ps", "--all"), ("rm", "--force", "--volumes")),
        (("network", "ls"), ("network", "rm")),
        (("volume", "ls"), ("volume", "rm", "--force")),
        (("image", "ls", f"{name}/*", "--format", "{{.Repository}}:{{.Tag}}"), ("image", "rm", "--force")),
    ):
        if found := docker(*kind, *(mine if kind[0] != "image" else ())):
            docker(*remove, *found)
