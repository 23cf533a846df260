"""What can be read from a repository, and that reading changes nothing."""

from pathlib import Path

import pytest

from gitops.git.repository import Repository
from gitops.system.errors import UserError
from tests.git.conftest import git


def test_the_head_is_the_commit_that_git_names(root: Path) -> None:
    assert Repository(root).head() == git(root, "rev-parse", "HEAD")


def test_a_directory_outside_any_repository_is_told_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read as a git repository") as caught:
        Repository(tmp_path).head()
    assert "git init" in str(caught.value)


def test_a_repository_without_a_commit_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UserError, match="has no commit 'HEAD'"):
        Repository(tmp_path).head()


def test_dirty_names_changed_staged_deleted_and_unknown_files_but_no_ignored_ones(root: Path) -> None:
    assert Repository(root).dirty() == ()
    (root / ".gitignore").write_text("*.tmp\n")
    (root / "x.tmp").touch()
    (root / "fleet.yaml").write_text("name: other\n")
    (root / "images" / "link").unlink()
    (root / "a name with spaces and ü").touch()
    git(root, "add", ".gitignore")
    assert Repository(root).dirty() == (".gitignore", "a name with spaces and ü", "fleet.yaml", "images/link")


def test_a_file_is_read_as_the_commit_had_it(root: Path) -> None:
    first = Repository(root).head()
    (root / "fleet.yaml").write_text("name: other\n")
    git(root, "commit", "--quiet", "-am", "Change")
    assert Repository(root).file_at(first, "fleet.yaml") == "name: demo\n"
    assert Repository(root).file_at("HEAD", "fleet.yaml") == "name: other\n"
    assert Repository(root).file_at("HEAD", "nothing") is None
    with pytest.raises(UserError, match="has no commit"):
        Repository(root).file_at("--output=x", "fleet.yaml")


def test_a_fleet_inside_a_larger_repository_sees_only_itself(root: Path) -> None:
    (root / "elsewhere").touch()
    images = Repository(root / "images")
    assert images.file_at("HEAD", "tool") == "#!/bin/sh\n"
    (root / "images" / "new").touch()
    assert images.dirty() == ("new",)


def test_an_export_is_a_checkout_that_leaves_the_user_s_own_alone(root: Path, tmp_path: Path) -> None:
    (root / "fleet.yaml").write_text("name: unsaved\n")
    git(root, "add", "fleet.yaml")
    before = git(root, "status", "--porcelain")
    for source, names in ((root, ["fleet.yaml", "images"]), (root / "images", ["link", "tool"])):
        target = tmp_path / f"export-of-{source.name}"
        Repository(source).export("HEAD", target)
        assert sorted(path.name for path in target.iterdir()) == names
    assert (tmp_path / "export-of-fleet" / "fleet.yaml").read_text() == "name: demo\n"
    assert (tmp_path / "export-of-images" / "tool").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "export-of-images" / "link").is_symlink()
    assert git(root, "status", "--porcelain") == before


def test_a_commit_says_who_made_it_and_what_it_stands_on(root: Path) -> None:
    git(root, "config", "log.showSignature", "true")
    git(root, "checkout", "--quiet", "-b", "topic")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "More")
    repository = Repository(root)
    commit = repository.describe("topic")
    assert (commit.identity, commit.committer) == (repository.head(), "Ada <ada@example.org>")
    assert commit.subject == "More"
    assert repository.contains("topic", "main")
    assert repository.contains("main", "main")
    assert not repository.contains("main", "topic")
    assert repository.checked_out("topic") == root
    assert repository.checked_out("main") is None
