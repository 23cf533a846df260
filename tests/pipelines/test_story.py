"""From a push, through its pipeline, to a host that runs what was pushed, and nothing else."""

import os
import re
from pathlib import Path

import pytest

from gitops.engine.docker import Docker
from gitops.registry.registry import connect
from gitops.system.run import start
from tests.pipelines.conftest import PUSH, Stage, request
from tests.registry_fixtures import free_port

SPY = "# Not what was rendered.\necho \"step $1\"\nenv | sort | sed 's/^/seen /'\n: >gitops-plan.md\n"


def seize(stage: Stage, image: str, evil: str) -> None:
    """Put another image under an image's name in the registry, as whoever has its password can."""
    reference = stage.references()[image]
    Docker().tag(evil, reference)
    repository, _, tag = reference.rpartition(":")
    with connect(f"{stage.registry.host}/{stage.name}", stage.host) as registry:
        credential = registry.credential()
        assert credential
        stage.api.push(repository, tag, auth_config=credential.for_engine())


def test_a_push_becomes_images_that_a_host_runs(stage: Stage) -> None:
    said = stage.act("push", PUSH)
    assert "cache: kept gitops-packages-" in said
    assert "cache: kept gitops-images-" in said
    assert stage.pushed() == {"base", "site"}
    stage.forget()
    status, told = stage.once()
    assert status == 0, told
    name = stage.references()["site"]
    assert Docker().identify(name), "it was pulled"
    running = [one for one in Docker().containers(stage.name, "web1") if one.state == "running"]
    assert [one.subject for one in running] == ["alice/web"]


def test_packages_that_no_lock_names_are_not_kept_for_ever(stage: Stage, tmp_path: Path) -> None:
    lock = (stage.root / "locks/base.amd64.lock").read_text()
    named = next(word for word in lock.split() if re.fullmatch("[0-9a-f]{64}", word))
    old, new, asked = (
        tmp_path / f"store/{digest[:2]}/{digest}.deb" for digest in ("1" * 64, "2" * 64, named)
    )
    for path in (old, new, asked):
        path.parent.mkdir(parents=True)
        path.touch()
    for path in (old, asked):
        os.utime(path, (0, 0))
    stage.run(
        "sh", "rendered/pipeline.sh", "build", "1", env={**stage.secrets, "GITOPS_CACHE": str(tmp_path)}
    )
    assert [path.exists() for path in (old, new, asked)] == [False, True, True]


def test_an_engine_that_is_another_container_is_reached_over_the_network(stage: Stage) -> None:
    port = free_port("127.0.0.1")
    listen = f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"
    with start(["socat", "-t", "60", listen, "UNIX-CONNECT:/var/run/docker.sock"]) as engine:
        try:
            there = {**stage.secrets, "DOCKER_HOST": f"tcp://127.0.0.1:{port}"}
            said = stage.run("sh", "rendered/pipeline.sh", "test", env=there)
        finally:
            engine.terminate()
    assert "web: GET /page" in said


def test_a_leaf_that_changes_is_built_alone_by_gitlabs_file_and_one_that_is_swapped_is_refused(
    stage: Stage, image: str
) -> None:
    (stage.root / "images/site/page").write_text("hello again\n")
    stage.commit("Greet again")
    stage.git("push", "--quiet", "origin", "main")
    said = stage.gitlab("push", CI_COMMIT_BEFORE_SHA="0" * 40)
    assert "site amd64: built in" in said
    assert "base amd64: built in" not in said
    assert stage.pushed() == {"base", "site"}
    stage.forget()
    seize(stage, "site", image)
    stage.forget()
    status, told = stage.once()
    assert f"refused: the image {stage.references()['site']} in the registry" in told
    assert "built here instead" in told
    assert status == 0, told


@pytest.mark.parametrize("workflow", [".github/workflows/gitops.yml", ".forgejo/workflows/gitops.yml"])
def test_a_stranger_who_rewrites_every_step_sees_no_secret_and_pushes_nothing(
    stage: Stage, workflow: str
) -> None:
    stage.git("checkout", "--quiet", "-B", "stranger", "main")
    (stage.root / "rendered/pipeline.sh").write_text(SPY)
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "--allow-empty", "--message", "Look around")
    stage.git("push", "--quiet", "--force", "origin", "stranger")
    said = stage.act(
        "pull_request",
        request("stranger", fork=True),
        *("--workflows", workflow, "--platform", "docker=-self-hosted"),
    )
    steps = {line.rpartition("| step ")[2].strip() for line in said.splitlines() if "| step " in line}
    assert {"check", "plan", "build", "test"} <= steps
    assert "push" not in steps
    seen = [line.rpartition("| seen ")[2] for line in said.splitlines() if "| seen " in line]
    given = dict(line.partition("=")[::2] for line in seen)
    assert given["GITOPS_REGISTRY_USER"] == given["GITOPS_REGISTRY_PASSWORD"] == ""
    assert not {"GITOPS_SIGNING_KEY", "GITOPS_FORGE_TOKEN"} & given.keys()
    values = [stage.registry.password_file.read_text().strip(), "a-token-of-the-forge"]
    assert not any(value in line for value in values for line in seen)
    if workflow.startswith(".github"):
        log = stage.act("push", PUSH, "--job", "build-1")
        assert "GITOPS_REGISTRY_PASSWORD=***" in log, "the same steps are given them on the main branch"


@pytest.fixture(autouse=True)
def _back(stage: Stage) -> Path:
    """Begin each test on the main branch."""
    stage.git("checkout", "--quiet", "--force", "main")
    return stage.root
