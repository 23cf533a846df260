"""A pipeline whose jobs run in containers of an image that gitops made, and install gitops there."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from docker.errors import APIError

from gitops.debian.mirrors import host_archives
from gitops.engine.docker import Docker
from gitops.review.state import read_state
from tests.pipelines.conftest import PUSH, Stage, request

CHECKOUT = Path(__file__).parent.parent.parent
PYTHON = "3.13"
"""Trixie's, for which libraries are fetched."""

RUNNER = """\
from: scratch
archive: trixie
packages: [apt, bash, ca-certificates, debian-archive-keyring, docker-buildx, docker-cli, git, gpgv,
  mmdebstrap, openssh-client, pipx]
copy: [{source: sources.list, target: /etc/apt/sources.list}]
"""
"""What the first step would install is there, so that it does so once and not for each job."""


@pytest.fixture(scope="module")
def runner(stage: Stage) -> str:
    """An image for runners, built by gitops; it stays here, since that takes a minute."""
    fleet, mirror = stage.work / "runner-fleet", host_archives().debian
    (fleet / "images/runner").mkdir(parents=True)
    (fleet / "fleet.yaml").write_text(
        f"name: gitops-test-runner\narchives: {{trixie: {{mirror: '{mirror}', suites: [trixie]}}}}\n"
    )
    (fleet / "images/runner.yaml").write_text(RUNNER)
    (fleet / "images/runner/sources.list").write_text(f"deb {mirror} trixie main\n")
    stage.run("git", "init", "--quiet", str(fleet))
    for verb in ("lock", "render", "build"):
        stage.gitops(verb, "--fleet", str(fleet))
    return read_state(fleet).references["runner", "amd64"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with gitops as a wheel, and all that it needs, from the package index."""
    wheels = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, CHECKOUT], check=True)
    subprocess.run(
        [*pip, "download", "--dest", wheels, "--only-binary=:all:", f"--python-version={PYTHON}", "pip",
         *wheels.glob("gitops-*.whl")],
        check=True,
    )  # fmt: skip
    return wheels


@pytest.fixture(scope="module")
def options(stage: Stage, runner: str, wheels: Path) -> Iterator[tuple[str, ...]]:
    """How act is told to run jobs in containers, with what such a machine's administrator puts there.

    What the first job installs is kept for the others.
    """
    kept = {f"{stage.name}-pipx": "/opt/pipx", f"{stage.name}-bin": "/usr/local/bin"}
    there = {
        str(wheels): "/srv/wheels:ro",
        str(stage.work / "gitconfig"): "/etc/gitconfig:ro",
        "/etc/docker/certs.d": "/etc/docker/certs.d:ro",
        **kept,
    }
    mounts = " ".join(f"--volume={source}:{target}" for source, target in there.items())
    (package,) = wheels.glob("gitops-*.whl")
    yield (
        *(
            "--network",
            "bridge",
            "--platform",
            f"ubuntu-24.04={runner}",
            "--pull=false",
            "--rm",
            "--container-options",
            mounts,
        ),
        *("--var", f"GITOPS_PACKAGE=file:///srv/wheels/{package.name}"),
        *("--env", "PIP_NO_INDEX=1", "--env", "PIP_FIND_LINKS=/srv/wheels"),
    )
    for volume in (*kept, "act-toolcache"):
        with suppress(APIError):  # somebody else's act may have the last one
            stage.api.remove_volume(volume, force=True)


def test_in_containers_a_pull_request_is_checked_and_told_what_it_would_do(
    stage: Stage, options: tuple[str, ...]
) -> None:
    stage.git("checkout", "--quiet", "-B", "change", "main")
    (stage.root / "images/site/page").write_text("hello from a container\n")
    stage.commit("Greet from a container")
    stage.git("push", "--quiet", "origin", "change")
    said = stage.act("pull_request", request("change"), "--job", "plan", *options)
    assert "[gitops/check]   |   installed package gitops" in said
    assert "recreate alice/web: image site" in said


def test_in_containers_that_reach_the_engine_by_its_socket_alone_a_push_becomes_images_that_a_host_runs(
    stage: Stage, options: tuple[str, ...]
) -> None:
    stage.git("checkout", "--quiet", "--force", "main")
    (stage.root / "images/site/page").write_text("hello from a container\n")
    stage.commit("Greet from a container")
    stage.git("push", "--quiet", "origin", "main")
    said = stage.act("push", PUSH, *options)
    assert "Failure - Main Keep packages" in said, "there is no node for the cache"
    assert "web: GET /page" in said
    assert stage.pushed() == {"base", "site"}
    stage.forget()
    status, told = stage.once()
    assert status == 0, told
    name = stage.references()["site"]
    assert Docker().identify(name)
    assert not Docker().made_here([name]), "it was pulled"
