"""Hosts that report watch each other: one that says nothing any more is noticed by the next."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gitops.agent.generation import adopt
from gitops.agent.report import publish
from gitops.agent.ticked import Tick
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.git.upstream import Upstream
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import Places, places
from gitops.system.run import run
from gitops.view.watch import watch

_FILES = {
    "fleet.yaml": "name: f\narchives: {a: {mirror: 'http://mirror.example.org', suites: [trixie]}}\n",
    "images/tiny.yaml": "from: scratch\narchive: a\n",
    "hosts/web2.yaml": "report: {}\n",
}


@dataclass(frozen=True)
class Pair:
    """Two hosts of a fleet that report to one server.

    Args:
        web1: the places of the one that reports.
        web2: of the one that looks.
        root: the fleet.
        server: the bare repository.
    """

    web1: Places
    web2: Places
    root: Path
    server: Path

    def report(self, at: datetime) -> None:
        """Let web1 say that it is well, at some time."""
        told = {
            "version": 1, "branch": "gitops/reports", "host": "web1", "generation": "c0ffee",
            "runtime": "/run", "containers": [], "failures": [], "time": stamp(at),
        }  # fmt: skip
        write(self.web1.state / "report.json", json.dumps(told))
        said = publish(Repository(self.root), [Upstream(str(self.server), "main")], self.web1)
        assert said == "reported to gitops/reports/web1"

    def alerts(self, at: datetime) -> list[str]:
        """Let web2 look; give what it found."""
        tick = Tick("c0ffee", (), "nothing to do", "", stamp(at))
        write(self.web2.runtime / "tick.json", json.dumps(asdict(tick)))
        watch(self.web2, at)
        path = self.web2.state / "alerts.json"
        return list(json.loads(path.read_text())) if path.exists() else []


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    def host(name: str) -> Places:
        monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / name))
        return places()

    web1, web2, root = host("web1"), host("web2"), tmp_path / "fleet"
    key = web1.config / "deploy.key"
    key.parent.mkdir(parents=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    public = Path(f"{key}.pub").read_text().strip()
    for path, text in {**_FILES, "hosts/web1.yaml": f'report: {{key: "{public}"}}\n'}.items():
        write(root / path, text)
    lock = Lock("tiny", "amd64", request_of(load(root), "tiny"), ())
    write(root / "locks/tiny.amd64.lock", format_lock(lock))
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "Begin"],
        ["clone", "--quiet", "--bare", root, tmp_path / "server.git"],
    ):
        run(["git", "-C", root, *words])
    adopt(root, "web2", web2)
    write(web2.config / "agent.yaml", f"host: web2\nremotes: [{tmp_path}/server.git]\ntrust: unsigned\n")
    return Pair(web1, web2, root, tmp_path / "server.git")


def test_a_host_that_stops_reporting_is_told_of_and_told_when_it_is_back(pair: Pair) -> None:
    at = now()
    pair.report(at - timedelta(hours=1))
    assert pair.alerts(at) == []
    assert pair.alerts(at + timedelta(hours=3)) == ["the agent of web1"]
    pair.report(at + timedelta(hours=4))
    assert pair.alerts(at + timedelta(hours=5)) == []


def test_a_sign_of_life_that_somebody_else_gives_is_none(pair: Pair) -> None:
    at = now()
    pair.report(at - timedelta(hours=5))
    assert pair.alerts(at) == ["the agent of web1"]
    (pair.web1.config / "deploy.key").unlink()
    (pair.web1.config / "deploy.key.pub").unlink()
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", pair.web1.config / "deploy.key"])
    pair.report(at)
    assert pair.alerts(at + timedelta(hours=2)) == ["the agent of web1"]


def test_a_report_is_sent_again_every_hour_while_the_agent_ticks(pair: Pair) -> None:
    at = now()
    path = pair.web2.state / "report.json"

    def told(when: datetime) -> str:
        pair.alerts(when)
        time: str = json.loads(path.read_text())["time"]
        return time

    write(path, json.dumps({"time": stamp(at)}))
    assert told(at + timedelta(minutes=50)) == stamp(at)
    later = at + timedelta(minutes=70)
    assert told(later) == stamp(later)
    (pair.web2.runtime / "tick.json").unlink()
    watch(pair.web2, later + timedelta(hours=2))
    assert json.loads(path.read_text())["time"] == stamp(later)


def test_pages_are_kept_where_the_agent_is_asked_to(pair: Pair, tmp_path: Path) -> None:
    settings = pair.web2.config / "agent.yaml"
    settings.write_text(f"{settings.read_text()}pages: {tmp_path}/pages\n")
    pair.report(now())
    pair.alerts(now())
    page = (tmp_path / "pages/index.html").read_text()
    assert "All is well" in page
    assert "said so <time" in page
    assert (tmp_path / "pages/hosts/web1.html").exists()
    (tmp_path / "pages/.gitops-pages.json").unlink()
    pair.alerts(now())  # what is not known to be ours is in the way, and of no more harm than that
    assert (tmp_path / "pages/index.html").read_text() == page
