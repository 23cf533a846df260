"""A host's own update bot: begun as a job, at what the agent has accepted, with what root gave it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gitops.agent.fetch import advance
from gitops.agent.generation import check_out, make_current
from gitops.agent.install import Wish, install
from gitops.agent.proposing import desk
from gitops.agent.settings import read_settings
from gitops.fleet.load import load
from gitops.git.intake import Intake
from gitops.git.isolation import isolated
from gitops.jobs.lean import lean
from gitops.report.history import Run, runs
from gitops.secrets.age import encrypt, make_identity
from gitops.system.errors import UserError
from gitops.system.places import places
from tests.forge.fake.server import FakeForge
from tests.git.conftest import git
from tests.updates.conftest import Scene, scene
from tests.updates.test_update_verb import publish_nginx

__all__ = ["scene"]

_INSTANCES = "instances:\n  alice: {app: blog}\n  bob: {app: blog}\n"


@dataclass
class Host:
    """The host `one` of a small fleet, whose agent follows a server."""

    scene: Scene
    server: Path

    def say(self, updates: str, forge: str = "") -> None:
        """Write when the host looks for updates, what takes pull requests, and push all that."""
        (self.scene.root / "hosts/one.yaml").write_text(f"updates: {updates}\n{_INSTANCES}")
        if forge:
            self.scene.policy(forge)
        self.scene.lock()
        self.push()

    def push(self) -> None:
        git(self.scene.root, "push", "--quiet", str(self.server), "HEAD:main")

    def follow(self, url: str) -> None:
        """Let the agent accept what the server has, and make it what the host runs."""
        here = self.scene.places
        if not (here.config / "agent.yaml").exists():
            (here.config / "agent.yaml").parent.mkdir(parents=True, exist_ok=True)
            install(Wish("one", [url], unsigned=True), here, systemd=False)

        def admit(own: Intake, commit: str, _before: str | None) -> str:
            make_current(check_out(own, commit, here), "one", here)
            return "good"

        with isolated():
            assert advance(read_settings(here), here, admit).good

    def job(self) -> Run:
        """Let the job run as cron starts it; give what became of it."""
        lean(["@host", "update", "--due"])
        return self.past[0]

    @property
    def past(self) -> list[Run]:
        return runs(self.scene.places, kind="job")

    @property
    def log(self) -> str:
        return (self.scene.places.state / self.past[0].log).read_text()


@pytest.fixture
def host(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "root"))
    monkeypatch.delenv("HOME", raising=False)  # as systemd starts what is nobody's
    server = tmp_path / "server.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(server))
    return Host(replace(scene, places=places()), server)


def test_a_host_pushes_what_is_new_to_a_plain_server_signed_with_its_own_key(host: Host) -> None:
    host.say('{schedule: "17 4 * * *"}')
    host.follow(f"file://{host.server}")
    key = host.scene.places.config / "deploy.key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    assert host.job().outcome == "ok"
    assert host.log == "nothing to do\n"
    publish_nginx(host.scene)
    done = host.job()
    assert (done.outcome, done.status, done.instance, done.name) == ("ok", 0, "@host", "update")
    assert host.log == "pushed gitops/updates\n"
    assert git(host.server, "diff", "--name-only", "main", "gitops/updates") == "locks/web.amd64.lock"
    assert "BEGIN SSH SIGNATURE" in git(host.server, "cat-file", "commit", "gitops/updates")
    tip = git(host.server, "rev-parse", "gitops/updates")
    assert host.job().outcome == "ok"
    assert host.log == "gitops/updates is as it should be\nnothing to do\n"
    assert git(host.server, "rev-parse", "gitops/updates") == tip
    listed = json.loads(_gitops("job", "list", "--json").stdout)
    assert [(one["job"], one["last"]["outcome"]) for one in listed["jobs"]] == [("update", "ok")]


@pytest.mark.parametrize("kept", ["file", "secret"])
def test_a_forge_gets_a_pull_request_by_a_token_that_only_the_host_s_root_can_read(
    host: Host, forge_server: Callable[[str], FakeForge], kept: str
) -> None:
    forge = forge_server("forgejo")
    host.server = forge.project.root
    here = host.scene.places
    updates, recipient = '{schedule: "@daily"}', make_identity(here.config / "age.key")
    if kept == "secret":
        updates = '{schedule: "@daily", token: forge}'
        (host.scene.root / "secrets").mkdir()
        (host.scene.root / "secrets/forge.age").write_bytes(encrypt(forge.token.encode(), [recipient]))
    host.say(updates, f"forge: {{kind: forgejo, address: '{forge.address}', project: {forge.project_path}}}")
    host.follow(f"file://{forge.project.root}")
    publish_nginx(host.scene)
    if kept == "file":
        assert (host.job().status, forge.pulls) == (1, [])
        assert f"put it into {here.config}/forge-token" in host.log
        (here.config / "forge-token").touch(mode=0o600)
        (here.config / "forge-token").write_text(f"{forge.token}\n")
    assert host.job().status == 0, host.log
    (pull,) = forge.pulls
    assert host.log == f"opened #1 {forge.address}/{forge.project_path}/pulls/1: {pull.title}\n"
    files = [path for path in here.config.parents[1].rglob("*") if path.is_file()]
    assert [path for path in files if forge.token.encode() in path.read_bytes()] == (
        [here.config / "forge-token"] if kept == "file" else []
    )


def test_a_host_of_a_forge_may_push_branches_alone_and_then_needs_no_token_of_the_forge(host: Host) -> None:
    host.say('{schedule: "@daily", propose: branch}', "forge: {kind: forgejo}")
    host.follow(f"file://{host.server}")
    publish_nginx(host.scene)
    assert host.job().status == 0, host.log
    assert git(host.server, "branch", "--format", "%(refname:short)") == "gitops/updates\nmain"


def test_a_host_that_proposes_nothing_tells_once_that_there_is_something_and_once_that_it_was_taken(
    host: Host,
) -> None:
    host.say('{schedule: "@daily", propose: nothing}')
    failing = host.scene.places.state / "failing"  # who hears of it does so once for each
    host.follow(f"file://{host.server}")
    assert host.job().status == 0
    publish_nginx(host.scene)
    for _ in range(2):
        assert host.job().outcome == "failed"
        assert list(failing.iterdir()) == [failing / "job @host:update"]
        assert "nginx 1.26-1 → 1.26-2: 1 image, 3 instances" in host.log
    assert git(host.server, "branch", "--format", "%(refname:short)") == "main"
    host.scene.lock()
    host.push()
    host.follow(f"file://{host.server}")
    assert host.job().outcome == "ok"
    assert list(failing.iterdir()) == []


def test_nothing_is_proposed_for_what_the_host_has_not_accepted(host: Host) -> None:
    host.say('{schedule: "@daily"}')
    host.follow(f"file://{host.server}")
    publish_nginx(host.scene)
    (host.scene.root / "images/web.yaml").write_text("from: base\npackages: [nonsense]\n")
    host.scene.commit()
    host.push()
    assert host.job().status == 1
    assert "and this host has accepted" in host.log
    assert git(host.server, "branch", "--format", "%(refname:short)") == "main"


def test_the_bot_needs_nobody_s_checkout_keeps_out_of_the_agent_s_repository_and_works_alone(
    host: Host,
) -> None:
    host.say('{schedule: "@daily"}')
    with pytest.raises(UserError, match="does not exist"), desk(load(host.scene.root), "one", places()):
        pass
    host.follow(f"file://{host.server}")
    fleet = load(host.scene.root)
    before = _refs(host.scene.places.state / "repository.git")
    publish_nginx(host.scene)
    bots = host.scene.places.cache / "updates.git"
    with desk(fleet, "one", places()) as mine:
        assert mine.repository.root == bots
        (bots / "config.lock").touch()  # what a git that was killed leaves behind
        with pytest.raises(UserError, match="in use"), desk(fleet, "one", places()):
            pass
    assert host.job().status == 0, host.log
    assert _refs(host.scene.places.state / "repository.git") == before


def test_what_cannot_be_meant_is_refused_with_its_place(scene: Scene) -> None:
    for updates, said in (
        ("{}", "`schedule` is missing"),
        ('{schedule: "@daily", propose: merge}', "`pull-request`, `branch` or `nothing`"),
        ('{schedule: "0 0 30 2 *"}', "never"),
        ('{schedule: "@daily", token: nobodys}', "there is no secrets/nobodys.age"),
    ):
        (scene.root / "hosts/one.yaml").write_text(f"updates: {updates}\n{_INSTANCES}")
        with pytest.raises(UserError) as error:
            load(scene.root)
        assert said in str(error.value)
        assert str(error.value).startswith("hosts/one.yaml:1:")


def _gitops(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gitops", *words]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=True)


def _refs(repository: Path) -> str:
    return git(repository, "for-each-ref")
