"""The daemon as a process: it follows, wakes, survives and ends."""

import hmac
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.agent.ticked import last
from gitops.system.clock import now
from tests.agent.conftest import FleetOnDisk
from tests.agent.test_tick import Followed, followed
from tests.engine_fixtures import WELL

__all__ = ["followed"]  # a fixture
GITOPS = Path(sys.executable).parent / "gitops"


@dataclass(frozen=True)
class Agent:
    """A running `gitops agent run`."""

    process: subprocess.Popen[str]
    log: Path

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log.read_text()
        return self.log.read_text()


@contextmanager
def agent(fleet: FleetOnDisk, more: str) -> Iterator[Agent]:
    """Run an agent with more in its agent.yaml."""
    path = fleet.places.config / "agent.yaml"
    path.write_text(path.read_text() + more)
    log = fleet.root.parent / "agent.log"
    with log.open("w") as output:
        process = subprocess.Popen([GITOPS, "agent", "run"], stdout=output, stderr=output, text=True)
        try:
            yield Agent(process, log)
        finally:
            process.kill()
            process.wait()


def until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def at(fleet: FleetOnDisk, commit: str) -> Callable[[], bool]:
    def so() -> bool:
        seen = last(fleet.places)
        return seen is not None and seen.commit == commit and seen.state in {"applied", "nothing to do"}

    return so


def looks(fleet: FleetOnDisk, number: int) -> None:
    """Wait until the agent has looked so often."""
    for _ in range(number):
        seen = last(fleet.places)
        deadline = time.monotonic() + 60
        while last(fleet.places) == seen:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def ready(followed: Followed) -> Followed:
    """A host that is as its commit says, so that the agent's first tick is a rest."""
    followed.tick()
    followed.tick()
    return followed


def test_a_push_arrives_by_polling_and_by_waking_and_by_webhook(ready: Followed) -> None:
    fleet = ready.fleet
    secret = fleet.places.config / "secret"
    secret.write_text("0123456789abcdef")
    secret.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = f"poll: 1h\nwebhook: {{listen: '127.0.0.1:{port}', secret_file: secret}}\n"
    with agent(fleet, more) as running:
        until(lambda: "nothing to do" in running.log.read_text())
        woken = ready.push(alice="woken")
        subprocess.run([GITOPS, "agent", "wake"], check=True)
        until(at(fleet, woken))
        rung = ready.push(alice="rung")
        signature = hmac.digest(b"0123456789abcdef", b"{}", "sha256").hex()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/", b"{}", {"X-Forgejo-Signature": signature}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            assert answer.status == 202
        until(at(fleet, rung))
        told = running.stop()
    assert f"accepted commit {rung[:12]}" in told
    assert told.endswith("stopped\n")


def test_a_resting_agent_has_the_host_watched(ready: Followed) -> None:
    metrics = ready.fleet.places.state / "metrics" / "gitops.prom"
    assert not metrics.exists()
    with agent(ready.fleet, "poll: 1h\n") as running:
        until(metrics.exists)
        assert running.stop().endswith("stopped\n")


def test_a_second_agent_is_told_that_there_is_one(ready: Followed) -> None:
    with agent(ready.fleet, "poll: 1h\n") as running:
        until(lambda: "nothing to do" in running.log.read_text())
        second = subprocess.run([GITOPS, "agent", "run"], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "in use by another gitops" in second.stderr


def test_what_is_in_the_way_is_said_once_and_not_at_every_look(ready: Followed) -> None:
    bad = ready.push((), alice="bad")
    with agent(ready.fleet, "poll: 1s\njitter: 0\n") as running:
        until(lambda: "is not signed" in running.log.read_text())
        looks(ready.fleet, 3)
        told = running.stop()
    assert (
        told.count(f"refused: commit {bad[:12]} is not signed") <= 2
    )  # by the child that judged, and at rest


def test_a_killed_agent_leaves_nothing_that_stops_the_next_one(ready: Followed) -> None:
    with agent(ready.fleet, "poll: 1s\n") as running:
        until(lambda: "nothing to do" in running.log.read_text())
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
    commit = ready.push(alice="after")
    with agent(ready.fleet, "") as running:
        until(at(ready.fleet, commit))
        running.stop()


def test_a_stop_in_the_middle_of_a_change_ends_it_between_two_steps_and_the_next_agent_ends_it(
    ready: Followed,
) -> None:
    fleet = ready.fleet
    app = (fleet.root / "apps/blog.yaml").read_text()
    slow = app.replace(repr(WELL), "[CMD, sleep, '0.5']").replace("interval: 200ms", "interval: 2s")
    fleet.write(
        "apps/blog.yaml", slow.replace("depends_on: [db]", "depends_on: {db: {condition: service_healthy}}")
    )
    commit = ready.push(alice="slow", bob="slow")
    with agent(fleet, "poll: 1s\njitter: 0\n") as running:
        until(lambda: "alice/db" in running.log.read_text())
        told = running.stop()
    assert "Traceback" not in told
    with agent(fleet, "") as running:
        until(at(fleet, commit))
        running.stop()
    assert set(fleet.running()) == {"alice/db", "alice/web", "bob/db", "bob/web"}
    names = [one.name for one in fleet.engine.containers(fleet.name, "web1")]
    assert sorted(names) == sorted(
        f"{fleet.name}.{one}" for one in ("alice.db", "alice.web", "bob.db", "bob.web")
    )


def test_a_tick_that_is_killed_at_any_moment_is_made_good_by_the_next(ready: Followed) -> None:
    fleet = ready.fleet
    for number in range(8):
        commit = ready.push(alice=f"round{number}", bob=f"round{number}")
        process = subprocess.Popen([GITOPS, "agent", "once"], start_new_session=True, stdout=subprocess.PIPE)
        try:
            process.communicate(timeout=0.3 + 0.35 * number)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    subprocess.run([GITOPS, "agent", "once"], check=True, stdout=subprocess.DEVNULL)
    assert at(fleet, commit)()
    containers = fleet.engine.containers(fleet.name, "web1")
    assert sorted(one.name for one in containers) == [
        f"{fleet.name}.{one}" for one in ("alice.db", "alice.web", "bob.db", "bob.web")
    ]
    assert all(one.state == "running" for one in containers)


def test_an_agent_at_rest_is_small(ready: Followed) -> None:
    with agent(ready.fleet, "poll: 1s\njitter: 0\n") as running:
        until(lambda: "nothing to do" in running.log.read_text())
        looks(ready.fleet, 4)
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        running.stop()
    (resident,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 60 * 1024  # kB


def test_a_clock_that_jumps_changes_nothing(ready: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    for years in (-20, 20):
        moved = now().replace(year=now().year + years)
        for module in ("pause", "tick"):
            monkeypatch.setattr(f"gitops.agent.{module}.now", lambda moved=moved: moved)
        assert ready.tick()[0].state == "nothing to do"
        resting = ready.rest()
        assert resting
        assert resting.good
