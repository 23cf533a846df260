"""A host says what it runs on a branch of its own, and a desk plans against that."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.agent.report import publish
from gitops.git.repository import Repository
from gitops.git.upstream import Upstream
from tests.agent.conftest import APP, FleetOnDisk

GITOPS = Path(sys.executable).parent / "gitops"
BRANCH = "gitops/reports/web1"


@dataclass(frozen=True)
class Reporting:
    """A host that reports to a server, and somebody's clone of the fleet."""

    fleet: FleetOnDisk
    server: Path
    desk: Path

    def publish(self) -> str:
        upstream = Upstream(str(self.server), "main")
        return publish(Repository(self.fleet.root), [upstream], self.fleet.places)

    def plan(self, *args: str, status: int = 0) -> str:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.desk), "GITOPS_ROOT": str(self.desk / "own")}
        done = subprocess.run(
            [GITOPS, "plan", *args], cwd=self.desk, capture_output=True, check=False, text=True, env=env
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout + done.stderr


def git(directory: Path, *args: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", directory, *args], check=True, capture_output=True, input=stdin)
    return done.stdout.decode().strip()


@pytest.fixture
def reporting(fleet: FleetOnDisk, tmp_path: Path) -> Reporting:
    key = fleet.places.config / "deploy.key"
    key.parent.mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = key.with_name("deploy.key.pub").read_text().strip()
    fleet.write(
        "hosts/web1.yaml",
        f'report: {{key: "{public}"}}\ninstances: {{alice: {{app: blog}}, bob: {{app: blog}}}}\n',
    )
    fleet.commit()
    made = Reporting(fleet, tmp_path / "server.git", tmp_path / "desk")
    git(tmp_path, "clone", "--quiet", "--bare", str(fleet.root), str(made.server))
    fleet.apply()
    git(tmp_path, "clone", "--quiet", str(made.server), str(made.desk))
    return made


def test_a_plan_far_from_the_host_is_made_against_what_it_said(reporting: Reporting) -> None:
    assert reporting.publish() == f"reported to {BRANCH}"
    reporting.fleet.apply()
    assert reporting.publish() == ""
    told = reporting.plan("--host", "web1").splitlines()
    assert told[0].startswith("as web1 said at ")
    assert told[0].endswith("; signed by its key")
    assert told[1:] == ["web1: nothing to do"]
    (reporting.desk / "apps/blog.yaml").write_text(APP.replace("default: hello", "default: hi"))
    assert reporting.plan().splitlines()[1:] == [
        "recreate alice/web: environment changed",
        "recreate bob/web: environment changed",
    ]
    assert json.loads(reporting.plan("--json"))["reported"]


def test_each_report_replaces_the_one_before(reporting: Reporting) -> None:
    reporting.publish()
    reporting.fleet.write("hosts/web1.yaml", (reporting.fleet.root / "hosts/web1.yaml").read_text() + "# x\n")
    commit = reporting.fleet.commit()
    reporting.fleet.apply()
    assert reporting.publish() == f"reported to {BRANCH}"
    assert git(reporting.server, "rev-list", "--count", BRANCH) == "1"
    assert json.loads(git(reporting.server, "show", f"{BRANCH}:web1.json"))["generation"] == commit


@pytest.mark.parametrize("signed", [False, True])
def test_a_report_that_somebody_else_wrote_is_refused(
    reporting: Reporting, tmp_path: Path, *, signed: bool
) -> None:
    reporting.publish()
    tree = git(reporting.server, "rev-parse", f"{BRANCH}^{{tree}}")
    stranger = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    who = ("-c", "user.name=x", "-c", "user.email=web1@gitops.invalid", "-c", "gpg.format=ssh")
    sign = [f"--gpg-sign={stranger}"] if signed else []
    forged = git(reporting.server, *who, "commit-tree", *sign, "-m", "x", tree)
    git(reporting.server, "update-ref", f"refs/heads/{BRANCH}", forged)
    assert "is not signed by its key" in reporting.plan(status=1)


def test_a_report_is_data_and_never_more(reporting: Reporting) -> None:
    for text in ("[]", "{", '{"version": 1, "host": "web1", "time": "\\u001b[31m"}', "[" * 10000):
        blob = git(reporting.server, "hash-object", "-w", "--stdin", stdin=text.encode())
        tree = git(reporting.server, "mktree", stdin=f"100644 blob {blob}\tweb1.json\n".encode())
        who = ("-c", "user.name=web1", "-c", "user.email=x@example.org", "-c", "gpg.format=ssh")
        key = reporting.fleet.places.config / "deploy.key"
        made = git(reporting.server, *who, "commit-tree", f"--gpg-sign={key}", "-m", "x", tree)
        git(reporting.server, "update-ref", f"refs/heads/{BRANCH}", made)
        assert f"the branch {BRANCH} has no report that can be read" in reporting.plan(status=1)


def test_a_server_that_is_away_is_told_and_asked_again(reporting: Reporting, tmp_path: Path) -> None:
    reporting.server.rename(tmp_path / "away.git")
    assert reporting.publish().startswith("not reported: ")
    (tmp_path / "away.git").rename(reporting.server)
    assert reporting.publish() == f"reported to {BRANCH}"
