"""A fleet's own pipelines speak to its forge: the bot proposes at night, a pull request is told its plan."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.render.ci import forgejo, github
from tests.forge.fake.server import FakeForge
from tests.git.conftest import git
from tests.render.linting import NODE
from tests.updates.conftest import Scene
from tests.updates.test_update_verb import publish_nginx

BIN = Path(sys.executable).parent
FILES = {"github": github.FILES, "forgejo": forgejo.FILES}


def begin(kind: str, scene: Scene, forge: FakeForge) -> None:
    """Push a fleet with a pipeline to a forge."""
    settings = scene.root / "fleet.yaml"
    settings.write_text(f"{settings.read_text()}pipelines: [{kind}]\n")
    scene.policy(f"forge: {{kind: {kind}, address: '{forge.address}', project: {forge.project_path}}}")
    scene.lock()
    name = f"https://git.example.org/{forge.project_path}"
    scene.git("remote", "add", "origin", f"{name}.git")
    scene.git("push", "--quiet", str(forge.project.root), "main")
    (scene.root.parent / "gitconfig").write_text(
        f'[url "{forge.url}"]\n\tinsteadOf = {name}\n\tinsteadOf = {name}.git\n'
    )


def run(scene: Scene, command: list[str]) -> str:
    """Play a runner; give all that it says."""
    work = scene.root.parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITOPS_", "GIT_"))}
    told = {"GITOPS_ROOT": str(work / "runner"), "GIT_CONFIG_GLOBAL": str(work / "gitconfig")}
    env = {**kept, **told, "PATH": f"{BIN}:{kept['PATH']}"}
    done = subprocess.run(command, cwd=scene.root, env=env, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def act(kind: str, scene: Scene, event: str, payload: object, **secrets: str) -> str:
    """Let act play the runner, with secrets from a file."""
    work = scene.root.parent
    (work / "secrets").write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
    (work / "event.json").write_text(json.dumps(payload))
    labels = ("ubuntu-24.04", "docker")
    command = [
        *(str(BIN / "act"), event, "--directory", str(scene.root), "--workflows", *FILES[kind]),
        *("--eventpath", str(work / "event.json"), "--secret-file", str(work / "secrets")),
        *(word for label in labels for word in ("--platform", f"{label}=-self-hosted")),
        *("--github-instance", "git.example.org", "--cache-server-addr", "127.0.0.1"),
        *(("--job", "plan") if event == "pull_request" else ()),
    ]
    return run(scene, command)


def gitlab(scene: Scene, source: str, *jobs: str, **variables: str) -> str:
    """Let gitlab-ci-local play GitLab's runner."""
    work = scene.root.parent
    (work / "variables.json").write_text(json.dumps({"CI_PIPELINE_SOURCE": source, **variables}))
    return run(
        scene,
        [
            *(str(NODE / "node_modules/.bin/gitlab-ci-local"), *jobs, "--force-shell-executor"),
            *("--variables-file", "../variables.json", "--home", str(work), "--state-dir", "../gitlab"),
        ],
    )


@pytest.mark.parametrize("kind", ["github", "gitlab", "forgejo"])
def test_what_a_pipeline_is_started_for_at_night_ends_as_a_pull_request(
    kind: str, scene: Scene, forge_server: Callable[[str], FakeForge]
) -> None:
    forge = forge_server(kind)
    begin(kind, scene, forge)
    publish_nginx(scene)
    if kind == "gitlab":
        said = gitlab(scene, "schedule", GITOPS_FORGE_TOKEN=forge.token)
    else:
        tokens = {"GITOPS_FORGE_TOKEN": forge.token, "GITHUB_TOKEN": forge.token}
        said = act(kind, scene, "schedule", {"schedule": "17 4 * * *"}, **tokens)
    (pull,) = forge.pulls
    assert pull.title.startswith("nginx 1.26-1 → 1.26-2"), said
    assert f"opened #1 {forge.address}" in said
    assert forge.token not in said


@pytest.mark.parametrize("kind", ["forgejo", "gitlab"])
def test_where_no_page_shows_it_a_pull_request_is_told_its_plan_in_a_comment(
    kind: str, scene: Scene, forge_server: Callable[[str], FakeForge]
) -> None:
    forge = forge_server(kind)
    begin(kind, scene, forge)
    base = scene.git("rev-parse", "HEAD").strip()
    scene.git("checkout", "--quiet", "-b", "change")
    (scene.root / "images/web.yaml").write_text("from: base\npackages: [nginx]\nenvironment: {A: '<b>'}\n")
    scene.lock()
    git(scene.root, "push", "--quiet", str(forge.project.root), "change")
    pull = forge.project.open(branch="change", base="main", title="Change", body="")
    if kind == "gitlab":
        told = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_MERGE_REQUEST_IID": str(pull.number)}
        said = gitlab(scene, "merge_request_event", "check", "plan", GITOPS_NOTE_TOKEN=forge.token, **told)
        (page,) = scene.root.parent.glob("gitlab/artifacts/plan/gitops-plan.html")
        assert "Host one: 2 instances restart" in page.read_text()
    else:
        repository = {"full_name": forge.project_path}
        request = {
            "number": pull.number,
            "base": {"ref": "main", "repo": repository},
            "head": {"ref": "change", "repo": repository},
        }
        payload = {"number": pull.number, "pull_request": request}
        said = act(kind, scene, "pull_request", payload, GITHUB_TOKEN=forge.token)
    assert "Host one: 2 instances restart" in said, "and in the log"
    (comment,) = pull.comments
    assert comment.startswith("<!-- gitops: diff of small -->\n")
    assert "`web`" in comment
    assert forge.token not in said
