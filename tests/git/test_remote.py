"""The same promises over a directory, http and ssh: branches move only from where they were last seen."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gitops.git.proposal import build
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from tests.git.conftest import git
from tests.git.servers import TOKEN, http_server, ssh_server


@dataclass
class Scene:
    """A bare repository on a server, and a clone of it that has it as `origin`."""

    bare: Path
    root: Path
    url: str
    remote: Remote

    def commit(self, text: str, base: str = "main") -> str:
        """Store a proposal in the clone."""
        return build(
            self.remote.repository, base, {"a.lock": text}, "Propose", committer="bot <bot@example.org>"
        )

    def there(self) -> dict[str, str]:
        """Give the branches that the server has."""
        lines = git(self.bare, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split() for line in lines.splitlines())


@pytest.fixture(params=["file", "http", "ssh"])
def scene(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[Scene]:
    """Put a repository on a server, and clone it."""
    bare = tmp_path / "server" / "fleet.git"
    git(root, "clone", "--quiet", "--bare", str(root), str(bare))
    url, token = f"file://{bare}", None
    with ExitStack() as stack:
        if request.param == "http":
            url, token = stack.enter_context(http_server(bare.parent)).url + "/fleet.git", TOKEN
        elif request.param == "ssh":
            server = stack.enter_context(ssh_server(tmp_path / "ssh"))
            git(root, "config", "core.sshCommand", server.command)
            url = f"{server.url}{bare}"
        git(root, "remote", "add", "origin", url)
        yield Scene(bare, root, url, Remote(Repository(root), "origin", token))


def test_a_branch_is_made_moved_and_taken_away(scene: Scene) -> None:
    first, second = scene.commit("one\n"), scene.commit("two\n")
    scene.remote.push("gitops/updates", first, None)
    assert scene.there()["gitops/updates"] == first
    scene.remote.push("gitops/updates", second, first)
    assert scene.there()["gitops/updates"] == second
    scene.remote.delete("gitops/updates", second)
    assert "gitops/updates" not in scene.there()


def test_a_branch_that_somebody_else_moved_is_left_to_them(scene: Scene) -> None:
    first, second = scene.commit("one\n"), scene.commit("two\n")
    scene.remote.push("gitops/updates", first, None)
    for expected in (None, second):
        with pytest.raises(UserError, match="somebody else moved the branch"):
            scene.remote.push("gitops/updates", scene.commit("three\n"), expected)
    with pytest.raises(UserError, match="somebody else moved the branch"):
        scene.remote.delete("gitops/updates", second)
    assert scene.there()["gitops/updates"] == first


def test_what_a_half_done_run_did_already_is_no_error(scene: Scene) -> None:
    commit = scene.commit("one\n")
    for _ in range(2):
        scene.remote.push("gitops/updates", commit, None)
    for _ in range(2):
        scene.remote.delete("gitops/updates", commit)
    assert list(scene.there()) == ["main"]


def test_one_fetch_tells_the_base_and_the_branches_of_a_prefix_and_forgets_those_that_are_gone(
    scene: Scene,
) -> None:
    main, commit = scene.remote.repository.head(), scene.commit("one\n")
    for branch in ("gitops/updates", "gitops/updates-openssl", "other"):
        scene.remote.push(branch, commit, None)
    mine = git(scene.root, "rev-parse", "HEAD")
    both = {"gitops/updates": commit, "gitops/updates-openssl": commit}
    assert scene.remote.fetch("main", "gitops/updates") == {"main": main, **both}
    git(scene.bare, "branch", "-D", "gitops/updates")
    git(scene.bare, "branch", "gitops/updates/nested", commit)
    del both["gitops/updates"]
    assert scene.remote.fetch("main", "gitops/updates") == {
        "main": main,
        **both,
        "gitops/updates/nested": commit,
    }
    assert git(scene.root, "rev-parse", "HEAD") == mine
    assert git(scene.root, "status", "--porcelain") == ""
    with pytest.raises(UserError, match=r"git fetch: .*fleet\.git failed"):
        scene.remote.fetch("nothing", "gitops/updates")


def test_the_default_branch_is_the_server_s(scene: Scene) -> None:
    assert scene.remote.default_branch() == "main"
    git(scene.bare, "symbolic-ref", "HEAD", "refs/heads/unborn")
    git(scene.bare, "branch", "trunk", "main")
    git(scene.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert scene.remote.default_branch() == "trunk"


def test_a_shallow_clone_will_do(scene: Scene, tmp_path: Path) -> None:
    for number in range(3):
        git(scene.root, "commit", "--quiet", "--allow-empty", "-m", f"Go on {number}")
    scene.remote.push("main", scene.remote.repository.head(), scene.there()["main"])
    old = scene.commit("old\n", "main~2")
    scene.remote.push("gitops/updates", old, None)
    shallow = tmp_path / "shallow"
    git(scene.root, "clone", "--quiet", "--depth=1", "--branch=main", f"file://{scene.bare}", str(shallow))
    git(shallow, "remote", "set-url", "origin", scene.url)
    ssh = Repository(scene.root).git("config", "core.sshCommand", check=False).stdout.strip()
    git(shallow, "config", "core.sshCommand", ssh or "ssh")
    near = Scene(scene.bare, shallow, scene.url, replace(scene.remote, repository=Repository(shallow)))
    seen = near.remote.fetch("main", "gitops/updates")
    assert seen["gitops/updates"] == old
    new = near.commit("new\n", seen["main"])
    near.remote.push("gitops/updates", new, old)
    assert scene.there()["gitops/updates"] == new
    assert near.remote.repository.contains(new, seen["main"])
    assert git(scene.bare, "fsck", "--strict", "--no-dangling") == ""


def test_tags_and_hooks_of_the_user_have_no_part_in_it(scene: Scene) -> None:
    git(scene.root, "config", "push.followTags", "true")
    git(scene.root, "tag", "-a", "-m", "Mine", "mine", "main")
    hook = scene.root / ".git/hooks/pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    scene.remote.push("gitops/updates", scene.commit("one\n"), None)
    assert git(scene.bare, "tag") == ""


def test_what_the_server_says_reaches_the_terminal_as_plain_text(scene: Scene) -> None:
    hook = scene.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'no \\033[31mred\\033[0m \\342\\200\\256bidi\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(UserError, match="git push: ") as caught:
        scene.remote.push("gitops/updates", scene.commit("one\n"), None)
    assert "bidi" in str(caught.value)
    assert "pre-receive hook declined" in str(caught.value)
    assert all(line.isprintable() for line in str(caught.value).split("\n"))


def test_a_remote_that_is_not_there_is_told_with_the_next_step(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no git remote 'origin'") as caught:
        Remote(Repository(root), "origin").fetch("main", "gitops/updates")
    assert "git remote add origin" in str(caught.value)
    git(root, "remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="nowhere failed"):
        Remote(Repository(root), "origin").default_branch()
