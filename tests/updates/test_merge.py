"""A proposal is taken without a forge only when it is in order, and by moving forward alone."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.git.proposal import BOT, build, point
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.updates.merge import Merged, merge
from tests.git.conftest import git
from tests.updates.conftest import Scene

BRANCH = "gitops/updates"
FINE = {"hosts/two.yaml": "instances:\n  carol: {app: page}\n  dave: {app: page}\n"}


def propose(scene: Scene, changes: Mapping[str, str | None] = FINE) -> str:
    repository = Repository(scene.root)
    commit = build(repository, "main", changes, "Propose", committer=BOT)
    point(repository, BRANCH, commit, repository.find(BRANCH))
    return commit


def take(scene: Scene) -> Merged:
    return merge(Repository(scene.root), None, "main", BRANCH)


@pytest.fixture
def server(scene: Scene, tmp_path: Path) -> Remote:
    """Give the fleet a bare git server."""
    bare = tmp_path / "server.git"
    git(scene.root, "clone", "--quiet", "--bare", str(scene.root), str(bare))
    scene.git("remote", "add", "origin", str(bare))
    return Remote(Repository(scene.root), "origin")


def test_the_base_moves_forward_and_the_work_tree_with_it(scene: Scene) -> None:
    commit = propose(scene)
    (scene.root / "unsaved").write_text("mine\n")
    assert take(scene) == Merged("main", BRANCH, commit, "", moved=True)
    assert scene.git("rev-parse", "main") == commit
    assert "dave" in (scene.root / "hosts/two.yaml").read_text()
    assert scene.git("status", "--porcelain") == "?? unsaved"
    assert not take(scene).moved


def test_a_base_that_is_not_checked_out_moves_too(scene: Scene) -> None:
    commit = propose(scene)
    scene.git("switch", "--quiet", "--create", "elsewhere")
    assert take(scene).moved
    assert scene.git("rev-parse", "main") == commit
    assert scene.git("status", "--porcelain") == ""


def test_uncommitted_work_that_is_in_the_way_is_not_lost(scene: Scene) -> None:
    propose(scene)
    (scene.root / "hosts/two.yaml").write_text("mine\n")
    with pytest.raises(UserError, match="cannot move forward"):
        take(scene)
    assert (scene.root / "hosts/two.yaml").read_text() == "mine\n"


def test_what_is_not_on_top_of_the_base_is_refused(scene: Scene) -> None:
    propose(scene)
    scene.commit("Go on")
    with pytest.raises(UserError, match=f"main has commits that {BRANCH} has not"):
        take(scene)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hosts/two.yaml": "instances:\n  carol: {app: nothing}\n"}, r"hosts/two\.yaml:2:.*nothing"),
        ({"images/web.yaml": "from: base\npackages: [openssl]\n"}, "was made from another definition of web"),
        ({"locks/web.amd64.lock": None}, r"locks/web\.amd64\.lock: is missing"),
        ({"locks/web.amd64.lock": "rubbish\n"}, r"locks/web\.amd64\.lock: does not start with"),
        ({"rendered/images/web.amd64.Dockerfile": None}, r"web\.amd64\.Dockerfile: is missing"),
    ],
)
def test_what_is_not_in_order_is_refused_with_the_reason(
    scene: Scene, changes: Mapping[str, str | None], reason: str
) -> None:
    before = scene.git("rev-parse", "main")
    propose(scene, changes)
    with pytest.raises(UserError, match=reason):
        take(scene)
    assert scene.git("rev-parse", "main") == before


def test_on_a_server_the_base_moves_and_the_branch_goes(scene: Scene, server: Remote) -> None:
    before, commit = scene.git("rev-parse", "main"), propose(scene)
    server.push(BRANCH, commit, None)
    merged = merge(server.repository, server, "main", BRANCH)
    assert merged == Merged("main", BRANCH, commit, server.url, moved=True)
    assert server.fetch("main", "") == {"main": commit}
    assert scene.git("rev-parse", "main") == before  # the local branch is its owner's to move


def test_a_run_that_died_before_the_branch_went_is_finished_by_the_next(scene: Scene, server: Remote) -> None:
    before, commit = scene.git("rev-parse", "main"), propose(scene)
    server.push(BRANCH, commit, None)
    server.push("main", commit, before)
    assert not merge(server.repository, server, "main", BRANCH).moved
    assert server.fetch("main", "") == {"main": commit}


def test_what_the_server_refuses_changes_nothing(scene: Scene, server: Remote) -> None:
    before, commit = scene.git("rev-parse", "main"), propose(scene)
    server.push(BRANCH, commit, None)
    hook = Path(server.url, "hooks/pre-receive")
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(UserError, match="pre-receive hook declined"):
        merge(server.repository, server, "main", BRANCH)
    assert server.fetch("main", BRANCH) == {"main": before, BRANCH: commit}


def test_a_missing_branch_and_the_base_itself_are_refused(server: Remote) -> None:
    for remote in (None, server):
        with pytest.raises(UserError, match="there is no branch nothing"):
            merge(server.repository, remote, "main", "nothing")
        with pytest.raises(UserError, match="is what it would be merged into"):
            merge(server.repository, remote, "main", "main")
    assert list(server.fetch("main", "")) == ["main"]
    with pytest.raises(UserError, match="there is no branch nothing"):
        merge(server.repository, None, "nothing", BRANCH)
    with pytest.raises(UserError, match="has no git remote"):
        merge(server.repository, replace(server, name="other"), "main", BRANCH)
