"""`gitops update`, run as a person or a pipeline runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forge.fake.server import FakeForge
from tests.git.conftest import git
from tests.updates.conftest import Scene


def gitops(scene: Scene, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GITOPS_CACHE": str(scene.places.cache), "GITOPS_RUNTIME": str(scene.places.runtime)}
    env |= {"GITOPS_CONFIG": str(scene.places.config), **variables}
    return subprocess.run(
        [sys.executable, "-m", "gitops", "update", "--fleet", str(scene.root), *words],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )


def publish_nginx(scene: Scene, version: str = "1.26-2") -> None:
    scene.archive.add_package("nginx", version, depends=f"nginx-common (= {version})")
    scene.archive.add_package("nginx-common", version, fields={"Source": "nginx"})
    scene.archive.publish()


@pytest.fixture
def server(scene: Scene, tmp_path: Path) -> Path:
    """Make a bare repository that the fleet is pushed to."""
    bare = tmp_path / "server.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    scene.git("remote", "add", "origin", str(bare))
    scene.git("push", "--quiet", "origin", "main")
    return bare


def test_nothing_newer_says_so_and_makes_no_branch(scene: Scene) -> None:
    for words, said in ((["--dry-run"], "every package is up to date\n"), (["--commit"], "nothing to do\n")):
        done = gitops(scene, *words, "--exit-code")
        assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert scene.git("branch", "--format", "%(refname:short)") == "main"


def test_a_dry_run_shows_what_there_is_and_changes_nothing(scene: Scene) -> None:
    publish_nginx(scene)
    before = scene.git("for-each-ref")
    done = gitops(scene, "--dry-run", "--exit-code")
    assert done.returncode == 1, done.stderr
    title, heading, first, second, _, step = done.stdout.splitlines()
    assert title.startswith("gitops/updates: nginx 1.26-1 → 1.26-2: 1 image, 3 instances")
    assert heading.split() == [
        *("source", "package", "old", "new", "suite", "urgency", "CVEs", "images", "instances", "hosts")
    ]
    assert first.split()[:5] == ["nginx", "nginx", "1.26-1", "1.26-2", "test/trixie"]
    assert second.split()[0] == "nginx-common"
    assert "gitops update --commit" in step
    assert scene.git("for-each-ref") == before
    assert scene.git("status", "--porcelain") == ""


def test_json_says_the_same_to_programs(scene: Scene) -> None:
    publish_nginx(scene)
    document = json.loads(gitops(scene, "--json").stdout)
    (update,) = document["updates"]
    assert [package["new"] for package in update["packages"]] == ["1.26-2", "1.26-2"]
    assert update["images"] == [{"image": "web", "architectures": ["amd64"], "parent": None}]
    assert document["outcomes"] == []
    (outcome,) = json.loads(gitops(scene, "--commit", "--json").stdout)["outcomes"]
    assert (outcome["branch"], outcome["state"]) == ("gitops/updates", "committed")


def test_a_proposal_can_be_merged_and_leaves_nothing_to_propose(scene: Scene) -> None:
    publish_nginx(scene)
    done = gitops(scene, "--commit")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("committed gitops/updates: nginx 1.26-1 → 1.26-2")
    assert scene.git("log", "-1", "--format=%s", "gitops/updates").startswith("nginx 1.26-1 → 1.26-2")
    changed = scene.git("diff", "--name-only", "main", "gitops/updates").splitlines()
    assert changed == ["locks/web.amd64.lock"]
    assert scene.git("status", "--porcelain") == ""
    done = gitops(scene, "--merge", "gitops/updates")
    assert done.stdout.startswith("main is now at "), done.stderr
    assert scene.git("rev-parse", "main") == scene.git("rev-parse", "gitops/updates")
    assert gitops(scene).stdout == "every package is up to date\n"


def test_asking_twice_commits_once_and_something_newer_moves_the_branch(scene: Scene) -> None:
    publish_nginx(scene)
    gitops(scene, "--commit")
    first = scene.git("rev-parse", "gitops/updates")
    assert gitops(scene, "--commit").stdout == "gitops/updates is as it should be\nnothing to do\n"
    assert scene.git("rev-parse", "gitops/updates") == first
    publish_nginx(scene, "1.26-3")
    assert gitops(scene, "--commit").stdout.startswith("refreshed gitops/updates: ")
    assert scene.git("rev-list", "--count", "main..gitops/updates") == "1"
    assert "1.26-1 → 1.26-3" in scene.git("log", "-1", "--format=%s", "gitops/updates")


def test_a_person_s_commit_on_the_branch_stops_it(scene: Scene) -> None:
    publish_nginx(scene)
    gitops(scene, "--commit")
    scene.git("switch", "--quiet", "gitops/updates")
    scene.git("commit", "--quiet", "--allow-empty", "--message", "Wait for Monday")
    scene.git("switch", "--quiet", "main")
    publish_nginx(scene, "1.26-3")
    done = gitops(scene, "--commit")
    assert done.returncode == 1
    assert "'Wait for Monday'" in done.stderr


def test_what_stays_behind_is_told_beside_what_does_not(scene: Scene) -> None:
    scene.archive.remove("mariadb")
    publish_nginx(scene)
    done = gitops(scene, "--commit")
    assert done.returncode == 0
    assert "stays behind: db (amd64): there is no package mariadb" in done.stderr


def test_locks_that_do_not_fit_their_definitions_come_first(scene: Scene) -> None:
    (scene.root / "images/web.yaml").write_text("from: base\npackages: [nginx, mariadb]\n")
    scene.commit()
    done = gitops(scene)
    assert done.returncode == 1
    assert "run gitops lock web" in done.stderr


def test_a_plain_server_gets_a_branch_that_can_be_taken_from_anywhere(scene: Scene, server: Path) -> None:
    publish_nginx(scene)
    done = gitops(scene, "--pull-request")
    assert done.stdout == "pushed gitops/updates\n", done.stderr
    assert "Packages, by source" in git(server, "log", "-1", "--format=%B", "gitops/updates")
    assert gitops(scene, "--pull-request").stdout == "gitops/updates is as it should be\nnothing to do\n"
    done = gitops(scene, "--merge", "gitops/updates")
    assert done.returncode == 0, done.stderr
    assert git(server, "branch", "--format", "%(refname:short)") == "main"
    assert git(server, "log", "-1", "--format=%s", "main").startswith("nginx 1.26-1 → 1.26-2")
    assert gitops(scene, "--pull-request").stdout == "nothing to do\n"


def test_what_the_remote_has_is_looked_at_and_not_the_checkout(scene: Scene, server: Path) -> None:
    (scene.root / "images/db.yaml").write_text("from: base\npackages: [nonsense]\n")
    scene.commit()
    publish_nginx(scene)
    done = gitops(scene, "--pull-request")
    assert (done.returncode, done.stdout) == (0, "pushed gitops/updates\n"), done.stderr
    assert git(server, "rev-list", "--count", "main..gitops/updates") == "1"


def test_outside_the_schedule_nothing_is_pushed_unless_told(scene: Scene, server: Path) -> None:
    scene.policy('schedule: "0 0 29 2 *"')
    scene.git("push", "--quiet", "origin", "main")
    publish_nginx(scene)
    done = gitops(scene, "--pull-request")
    assert done.stdout == "gitops/updates waits: for the schedule\nnothing to do\n", done.stderr
    assert git(server, "branch", "--format", "%(refname:short)") == "main"
    assert gitops(scene, "--pull-request", "--now").stdout == "pushed gitops/updates\n"


def test_a_forge_gets_a_pull_request_and_nobody_gets_the_token(
    scene: Scene, forge_server: Callable[[str], FakeForge]
) -> None:
    forge = forge_server("github")
    scene.git("remote", "add", "origin", forge.url)
    scene.policy(f"forge: {{kind: github, address: '{forge.address}'}}")
    scene.git("push", "--quiet", str(forge.project.root), "main")
    publish_nginx(scene)
    done = gitops(scene, "--pull-request")
    assert done.returncode == 1
    assert "GITOPS_FORGE_TOKEN" in done.stderr
    done = gitops(scene, "--pull-request", GITOPS_FORGE_TOKEN=forge.token)
    (pull,) = forge.pulls
    assert done.stdout == f"opened #1 {forge.address}/{forge.project_path}/pull/1: {pull.title}\n", (
        done.stderr
    )
    again = gitops(scene, "--pull-request", "--json", GITOPS_FORGE_TOKEN=forge.token)
    assert json.loads(again.stdout)["outcomes"][0]["state"] == "unchanged"
    assert forge.token not in done.stdout + done.stderr + again.stdout + again.stderr
    assert forge.token not in (scene.root / ".git/config").read_text()


def test_what_a_forge_refuses_is_told_and_fails_the_run(
    scene: Scene, forge_server: Callable[[str], FakeForge]
) -> None:
    forge = forge_server("forgejo")
    scene.git("remote", "add", "origin", forge.url)
    scene.policy(f"{{reviewers: [nobody], forge: {{kind: forgejo, address: '{forge.address}'}}}}")
    scene.git("push", "--quiet", str(forge.project.root), "main")
    publish_nginx(scene)
    done = gitops(scene, "--pull-request", GITOPS_FORGE_TOKEN=forge.token)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("#1 failed: ")
    assert "nobody" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--dry-run", "--commit"],
        ["--commit", "--pull-request"],
        ["--merge", "gitops/updates", "--pull-request"],
        ["--now"],
        ["--commit", "--now"],
        ["--merge", "gitops/updates", "--json"],
        ["--merge", "gitops/updates", "--exit-code"],
    ],
)
def test_options_that_make_no_sense_together_are_refused(scene: Scene, words: list[str]) -> None:
    done = gitops(scene, *words)
    assert done.returncode == 2, done.stdout
