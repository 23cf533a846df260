"""A proposal is one commit on its own branch, and nothing of the user's is touched or lost."""

from pathlib import Path

import pytest

from gitops.git.proposal import BOT, Proposal, propose
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from tests.git.conftest import git

CHANGES = {"locks/a.lock": "one\n", "images/link": None, "images/tool": "#!/bin/sh\ntrue\n"}


def put(root: Path, text: str = "one\n", branch: str = "gitops/updates") -> Proposal:
    repository = Repository(root)
    changes = {**CHANGES, "locks/a.lock": text}
    return propose(repository, branch, repository.head(), changes, f"Say {text}", BOT)


def test_a_proposal_is_one_commit_on_the_base_with_only_its_changes(root: Path) -> None:
    made = put(root)
    assert made.state == "new"
    assert git(root, "rev-parse", "gitops/updates^") == git(root, "rev-parse", "main")
    assert git(root, "diff", "--name-status", "main", "gitops/updates").split() == [
        *("D", "images/link", "M", "images/tool", "A", "locks/a.lock")
    ]
    assert git(root, "ls-tree", "gitops/updates", "images/tool").startswith("100755 ")
    assert git(root, "log", "-1", "--format=%B", "gitops/updates") == "Say one"
    assert git(root, "fsck", "--strict") == ""


def test_the_user_s_checkout_index_and_unsaved_work_stay_as_they_are(root: Path) -> None:
    (root / "fleet.yaml").write_text("name: unsaved\n")
    (root / "new").write_text("staged\n")
    git(root, "add", "new")
    index, status = (root / ".git/index").read_bytes(), git(root, "status", "--porcelain=v2", "--branch")
    put(root)
    assert (root / ".git/index").read_bytes() == index
    assert git(root, "status", "--porcelain=v2", "--branch") == status
    assert "unsaved" not in git(root, "show", "gitops/updates:fleet.yaml")


def test_the_same_proposal_twice_makes_no_new_commit(root: Path) -> None:
    first = put(root)
    second = put(root)
    assert (second.state, second.commit) == ("unchanged", first.commit)
    assert git(root, "reflog", "gitops/updates").count("\n") == 0


def test_a_newer_proposal_replaces_the_older_one_on_the_newest_base(root: Path) -> None:
    put(root)
    git(root, "commit", "--quiet", "--allow-empty", "-m", "Go on")
    assert put(root, "two\n").state == "moved"
    assert git(root, "rev-list", "--count", "main..gitops/updates") == "1"
    assert git(root, "show", "gitops/updates:locks/a.lock") == "two"


def test_a_person_s_own_commit_on_the_branch_is_never_lost(root: Path) -> None:
    put(root)
    git(root, "switch", "--quiet", "gitops/updates")
    git(root, "commit", "--quiet", "--amend", "-m", "My own words")
    git(root, "switch", "--quiet", "main")
    before = git(root, "rev-parse", "gitops/updates")
    with pytest.raises(UserError, match=r"carries a commit of 'Ada <ada@example.org>'.*'My own words'"):
        put(root, "two\n")
    assert git(root, "rev-parse", "gitops/updates") == before


def test_a_merged_branch_is_used_again(root: Path) -> None:
    put(root)
    git(root, "merge", "--quiet", "--no-ff", "-m", "Take it", "gitops/updates")
    assert put(root, "two\n").state == "moved"


def test_a_branch_that_is_checked_out_is_not_moved_under_its_user(root: Path) -> None:
    put(root)
    git(root, "switch", "--quiet", "gitops/updates")
    with pytest.raises(UserError, match="is checked out in"):
        put(root, "two\n")


def test_a_fleet_inside_a_larger_repository_changes_only_its_own_directory(root: Path) -> None:
    propose(Repository(root / "images"), "topic", "HEAD", {"new.lock": "x\n"}, "Add", BOT)
    assert git(root, "diff", "--name-only", "main", "topic") == "images/new.lock"


def test_a_branch_name_that_git_refuses_is_the_user_s_to_mend(root: Path) -> None:
    git(root, "branch", "gitops")
    with pytest.raises(UserError, match="cannot be moved"):
        put(root)
