"""The pre-commit hook lets through what holds together, judged by what is about to be committed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.images.locks import read_locks
from gitops.render.render import render, write
from gitops.system.shipped import shipped


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    identity = {
        f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **identity, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["git", *words], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def test_a_commit_whose_rendered_files_are_stale_is_refused(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet()
    root = fleet.root
    git(root, "init", "--quiet")
    shutil.copy(shipped("hooks") / "pre-commit", root / ".git/hooks/pre-commit")
    git(root, "add", "--all")
    refused = git(root, "commit", "--message=Start")
    assert refused.returncode != 0
    assert "rendered/images/web.amd64.Dockerfile: is missing" in refused.stderr
    write(root, render(fleet, read_locks(fleet)))
    assert git(root, "commit", "--message=Start").returncode != 0, "what is not added counted"
    git(root, "add", "--all")
    done = git(root, "commit", "--message=Start")
    assert done.returncode == 0, done.stderr


def test_a_definition_that_is_broken_in_the_working_tree_alone_does_not_count(
    make_fleet: Callable[..., Fleet],
) -> None:
    fleet = make_fleet()
    root = fleet.root
    write(root, render(fleet, read_locks(fleet)))
    git(root, "init", "--quiet")
    shutil.copy(shipped("hooks") / "pre-commit", root / ".git/hooks/pre-commit")
    git(root, "add", "--all")
    (root / "fleet.yaml").write_text("nonsense")
    assert git(root, "commit", "--message=Start").returncode == 0
    git(root, "add", "--all")
    assert git(root, "commit", "--message=Break it").returncode != 0
