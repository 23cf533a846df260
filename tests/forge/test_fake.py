"""The fake forge is one in earnest: git goes through it, and it notices what forges notice."""

from gitops.system.run import run
from tests.forge.conftest import BRANCH, Scene
from tests.forge.fake.server import TOKEN
from tests.git.conftest import git


def test_git_pushes_and_fetches_over_http_with_the_token_alone(scene: Scene) -> None:
    refused = run(
        ["git", "ls-remote", scene.server.url],
        env={"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"},
        check=False,
    )
    assert refused.status != 0
    url = scene.server.url.replace("//", f"//any:{TOKEN}@")
    (scene.work / "large").write_bytes(bytes(range(256)) * 10_000)
    git(scene.work, "add", "large")
    git(scene.work, "commit", "-q", "-m", "Add a file")
    git(scene.work, "-c", "http.postBuffer=1000", "push", "-q", url, "main:other")
    assert git(scene.work, "ls-remote", url, "other").split()[0] == scene.server.project.tip("other")


def test_a_branch_that_landed_or_went_changes_its_pull_request(scene: Scene) -> None:
    github, gitlab = scene.server.kind == "github", scene.server.kind == "gitlab"
    scene.open()
    scene.open("gitops/updates-b")
    root = scene.server.project.root
    git(root, "update-ref", "-d", "refs/heads/gitops/updates-b")
    git(root, "update-ref", "refs/heads/main", f"refs/heads/{BRANCH}")
    landed, went = scene.server.pulls
    assert landed.state == ("merged" if github or gitlab else "open")
    assert went.state == ("open" if gitlab else "closed")
