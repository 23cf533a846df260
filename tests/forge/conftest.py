"""A forge of each kind, with a base branch and a branch to propose."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.forge.pull_request import Forge, PullRequest
from tests.forge.fake.server import FakeForge
from tests.git.conftest import git

KINDS = ("github", "gitlab", "forgejo")
BRANCH = "gitops/updates"


@dataclass
class Scene:
    """A forge, a work tree to push from, and gitops' view of the forge."""

    server: FakeForge
    work: Path
    forge: Forge

    def push(self, branch: str = BRANCH, text: str = "new\n") -> str:
        """Push a commit on top of main to a branch, and give it."""
        git(self.work, "switch", "-q", "-C", "work", "main")
        (self.work / "lock").write_text(text)
        git(self.work, "add", "lock")
        git(self.work, "commit", "-q", "-m", "Update")
        git(self.work, "push", "-q", "-f", str(self.server.project.root), f"work:{branch}")
        return git(self.work, "rev-parse", "work")

    def open(self, branch: str = BRANCH, title: str = "Update", body: str = "What is new\n") -> PullRequest:
        """Push a branch and open a pull request of it."""
        self.push(branch, f"new on {branch}\n")  # else two of one second may be one commit
        return self.forge.create(branch=branch, base="main", title=title, body=body)


def begin(server: FakeForge, work: Path) -> Scene:
    """Push a first commit to the forge's main branch."""
    work.mkdir()
    git(work, "init", "-q", "--initial-branch=main")
    git(work, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(work, "push", "-q", str(server.project.root), "main")
    return Scene(server, work, server.connect())


@pytest.fixture(params=KINDS)
def scene(request: pytest.FixtureRequest, forge_server: Callable[[str], FakeForge], tmp_path: Path) -> Scene:
    """One scene for each kind of forge."""
    return begin(forge_server(request.param), tmp_path / "work")
