"""A real git repository to look at, with a fleet of two files."""

from pathlib import Path

import pytest

from gitops.system.run import run


def git(root: Path, *args: str) -> str:
    """Run git there as a person would, and give what it says."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    return run(["git", "-C", root, *person, *args]).stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a repository with one commit."""
    root = tmp_path / "fleet"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / "fleet.yaml").write_text("name: demo\n")
    (root / "images").mkdir()
    (root / "images" / "tool").write_text("#!/bin/sh\n")
    (root / "images" / "tool").chmod(0o755)
    (root / "images" / "link").symlink_to("tool")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "Begin")
    return root
