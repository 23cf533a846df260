"""A host is watched: jobs that are run no more are told of, people hear what waits, metrics are written."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gitops.agent.generation import adopt
from gitops.agent.lookout import look_out
from gitops.agent.ticked import Tick
from gitops.deploy.schedule import install_schedule
from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from gitops.render.schedule import schedule_files
from gitops.report.history import Run, record
from gitops.report.notices import outbox, tell
from gitops.secrets.age import make_identity
from gitops.secrets.readers import put
from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import Places, places
from gitops.system.run import run
from gitops.view.watch import watch
from tests.report.receiver import Receiver, receiving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # as in tests/report/test_delivery.py

_FLEET = {
    "fleet.yaml": "name: f\narchives: {a: {mirror: 'http://mirror.example.org', suites: [trixie]}}\n"
    "notifications: {to: [ops]}\n",
    "images/tiny.yaml": "from: scratch\narchive: a\n",
    "apps/shop.yaml": "services: {web: {image: tiny}}\njobs:\n"
    "  tick: {service: web, every: 5m, command: [tick]}\n"
    "  tidy: {service: web, schedule: '@daily', command: [tidy]}\n",
}


@dataclass(frozen=True)
class Host:
    """A host that runs a fleet's jobs, and who hears of them."""

    places: Places
    receiver: Receiver

    @property
    def metrics(self) -> Path:
        return self.places.state / "metrics" / "gitops.prom"

    def ran(self, instance: str, job: str, at: datetime) -> None:
        """Remember that a job ran."""
        record(self.places, Run("job", instance, job, at, at, 0))

    def gitops(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gitops", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    root, here = tmp_path / "fleet", places()
    for path, text in _FLEET.items():
        write(root / path, text)
    recipient = make_identity(here.config / "age.key")
    write(
        root / "hosts/web1.yaml",
        f"age: {recipient}\ninstances: {{alice: {{app: shop}}, bob: {{app: shop}}}}\n",
    )
    with receiving() as receiver:
        put(load(root, secrets_to_come=True), "ops", f"{receiver.url}\n".encode())
        fleet = load(root)
        lock = Lock("tiny", "amd64", request_of(fleet, "tiny"), ())
        write(root / "locks/tiny.amd64.lock", format_lock(lock))
        for path, text in schedule_files(fleet, "web1").items():
            write(root / "rendered/hosts/web1" / path, text)
        for words in (
            ["init", "--quiet"],
            ["add", "."],
            ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "Begin"],
        ):
            run(["git", "-C", root, *words])
        adopt(root, "web1", here)
        install_schedule(schedule_files(fleet, "web1"), "f", here)
        yield Host(here, receiver)


def test_that_cron_is_dead_is_told_once_and_that_it_works_again(host: Host) -> None:
    at = now()
    assert watch(host.places, at) == []
    assert host.receiver.got == []
    for minutes in (20, 25, 30):
        watch(host.places, at + timedelta(minutes=minutes))
    (told,) = host.receiver.got
    assert told["title"] == "web1: 2 of 4 jobs should have run, and nothing has begun them"
    assert "alice/tick should have run at" in told["message"]
    assert "systemctl status cron" in told["message"]
    assert 'gitops_late{instance="bob",kind="job",name="tick"} 1.0' in host.metrics.read_text()
    for instance in ("alice", "bob"):
        host.ran(instance, "tick", at + timedelta(minutes=34))
    watch(host.places, at + timedelta(minutes=35))
    assert host.receiver.titles[1:] == ["web1: the schedule works again"]
    assert 'gitops_late{instance="bob",kind="job",name="tick"} 0.0' in host.metrics.read_text()


def test_that_a_host_is_not_what_git_says_is_told_once_and_that_it_is_again(host: Host) -> None:
    def ticked(state: str, *notes: str, reason: str = "") -> None:
        tick = Tick("c0ffee", notes, state, reason, stamp(now()))
        write(host.places.runtime / "tick.json", json.dumps(asdict(tick)))
        watch(host.places, now())

    ticked("nothing to do", "origin: no route to host")
    ticked("failed", reason="alice/web is unhealthy")
    ticked("failed", reason="alice/web is unhealthy")
    ticked("paused")
    ticked("applied")
    ticked("nothing to do", "refused: commit beef is not signed")
    assert host.receiver.titles == [
        "web1: this host is not what git says",
        "web1: the agent works again",
        "web1: this host is not what git says",
    ]
    assert host.receiver.got[0]["message"].endswith("alice/web is unhealthy")
    assert host.receiver.got[2]["message"].endswith("refused: commit beef is not signed")


def test_metrics_are_of_what_there_is_and_not_of_what_was(host: Host) -> None:
    at = now()
    host.ran("alice", "tick", at)
    host.ran("alice", "gone", at)
    record(host.places, Run("backup", "bob", "", at, at, 0))
    record(host.places, Run("backup", "carol", "", at, at, 0))
    record(host.places, Run("prune", "", "", at, at, 0))
    watch(host.places, at)
    of = {
        line.partition("}")[0] for line in host.metrics.read_text().splitlines() if "last_run_good{" in line
    }
    assert of == {
        'gitops_last_run_good{instance="alice",kind="job",name="tick"',
        'gitops_last_run_good{instance="bob",kind="backup",name=""',
        'gitops_last_run_good{instance="",kind="prune",name=""',
    }


def test_a_test_reaches_everyone_and_says_whom_it_did_not_reach(host: Host) -> None:
    done = host.gitops("notify", "--test")
    assert (done.returncode, done.stderr) == (0, "")
    assert host.receiver.titles == ["web1: this is a test"]
    host.receiver.status = 500
    done = host.gitops("notify", "--test")
    assert done.returncode == 1
    assert done.stderr.startswith("ops cannot be told: ")
    assert "t0ken" not in done.stderr


def test_a_job_that_goes_wrong_is_heard_of_at_once_and_without_an_agent(host: Host) -> None:
    path = host.places.state / "current/rendered/hosts/web1/jobs/alice.json"
    path.write_text(re.sub('"wait": [0-9]+', '"wait": 0', path.read_text()))
    done = host.gitops("job", "run", "alice", "tick")
    assert done.returncode == 75, done.stderr
    assert host.receiver.titles == ["web1: job alice/tick missed"]
    assert "alice/web is not running" in host.receiver.got[0]["message"]
    assert 'gitops_last_run_good{instance="alice",kind="job",name="tick"} 0.0' in host.metrics.read_text()


def test_a_secret_of_this_host_is_in_no_notice(host: Host) -> None:
    write(host.places.runtime / "secrets/alice/web.1/password", "hunter22\n")
    tell(host.places, "job alice/tick failed", "cannot log in with hunter22", good=False)
    watch(host.places, now())
    assert host.receiver.got[0]["message"].endswith("cannot log in with ***")


def test_who_holds_no_key_tells_nobody_and_says_so(host: Host) -> None:
    (host.places.config / "age.key").unlink()
    tell(host.places, "hello", "", good=True)
    assert watch(host.places, now()) == ["ops cannot be told: this host has no key to read ops.age with"]
    (waiting,) = outbox(host.places)
    assert waiting.why == "this host has no key to read ops.age with"


def test_at_rest_a_host_is_watched_every_few_minutes_and_at_once_when_something_waits(host: Host) -> None:
    look_out(host.places)
    first = host.metrics.stat()
    look_out(host.places)
    assert host.metrics.stat().st_mtime_ns == first.st_mtime_ns
    os.utime(host.metrics, (first.st_mtime - 301, first.st_mtime - 301))
    look_out(host.places)
    assert host.metrics.stat().st_mtime >= first.st_mtime
    tell(host.places, "hello", "", good=True)
    look_out(host.places)
    assert host.receiver.titles == ["web1: hello"]


def test_a_machine_that_runs_no_fleet_is_not_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    look_out(places())
    assert list(tmp_path.iterdir()) == []
