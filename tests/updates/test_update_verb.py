"""`gitops update`, run as a person or a pipeline runs it."""

import json
import os
import subprocess
import sys

from tests.updates.conftest import Scene


def gitops(scene: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GITOPS_CACHE": str(scene.places.cache), "GITOPS_RUNTIME": str(scene.places.runtime)}
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


def test_nothing_newer_says_so_and_makes_no_branch(scene: Scene) -> None:
    for words in (["--dry-run"], ["--commit", "--exit-code"]):
        done = gitops(scene, *words)
        assert (done.returncode, done.stdout) == (0, "every package is up to date\n")
    assert scene.git("branch", "--format", "%(refname:short)") == "main"


def test_a_dry_run_shows_what_there_is_and_changes_nothing(scene: Scene) -> None:
    publish_nginx(scene)
    before = scene.git("for-each-ref")
    done = gitops(scene, "--dry-run", "--exit-code")
    assert done.returncode == 1, done.stderr
    heading, first, second, reach, step = done.stdout.splitlines()
    assert heading.split() == ["source", "package", "old", "new", "suite", "images", "instances"]
    assert first.split() == [
        *("nginx", "nginx", "1.26-1", "1.26-2", "test/trixie", "web", "alice@one", "bob@one", "carol@two")
    ]
    assert second.split()[0] == "nginx-common"
    assert (reach, step) == (
        "1 image to build again, 3 instances to restart",
        "propose it with: gitops update --commit",
    )
    assert scene.git("for-each-ref") == before
    assert scene.git("status", "--porcelain") == ""


def test_json_says_the_same_to_programs(scene: Scene) -> None:
    publish_nginx(scene)
    document = json.loads(gitops(scene, "--json").stdout)
    assert [package["new"] for package in document["packages"]] == ["1.26-2", "1.26-2"]
    assert document["images"] == [{"image": "web", "architectures": ["amd64"], "parent": None}]
    assert document["unaffected"]["images"] == ["base", "db"]
    assert document["proposal"] is None


def test_a_proposal_can_be_merged_and_leaves_nothing_to_propose(scene: Scene) -> None:
    publish_nginx(scene)
    done = gitops(scene, "--commit")
    assert done.returncode == 0, done.stderr
    assert scene.git("log", "-1", "--format=%s", "gitops/updates") == (
        "nginx 1.26-1 → 1.26-2: 1 image, 3 instances"
    )
    changed = scene.git("diff", "--name-only", "main", "gitops/updates").splitlines()
    assert changed == ["locks/web.amd64.lock"]
    assert scene.git("status", "--porcelain") == ""
    scene.git("merge", "--quiet", "--ff-only", "gitops/updates")
    assert gitops(scene, "--commit").stdout == "every package is up to date\n"


def test_asking_twice_commits_once_and_something_newer_moves_the_branch(scene: Scene) -> None:
    publish_nginx(scene)
    gitops(scene, "--commit")
    first = scene.git("rev-parse", "gitops/updates")
    assert "proposes this already" in gitops(scene, "--commit").stdout
    assert scene.git("rev-parse", "gitops/updates") == first
    publish_nginx(scene, "1.26-3")
    gitops(scene, "--commit")
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


def test_what_is_held_back_is_told_beside_what_is_not(scene: Scene) -> None:
    scene.archive.remove("mariadb")
    publish_nginx(scene)
    done = gitops(scene, "--commit")
    assert done.returncode == 0
    assert "held back: db (amd64): images/db.yaml: there is no package mariadb" in done.stderr
    assert "Held back:\n  db (amd64):" in scene.git("log", "-1", "--format=%B", "gitops/updates")


def test_locks_that_do_not_fit_their_definitions_come_first(scene: Scene) -> None:
    (scene.root / "images/web.yaml").write_text("from: base\npackages: [nginx, mariadb]\n")
    scene.commit()
    done = gitops(scene)
    assert done.returncode == 1
    assert "run gitops lock web" in done.stderr
