"""What cron runs is run once, whatever becomes of the instance meanwhile."""

import threading
from datetime import datetime, timedelta
from pathlib import Path

from gitops.fleet.load import load
from gitops.images.locks import read_locks
from gitops.render.render import render, write
from gitops.report.history import Run, runs
from gitops.system.clock import now
from tests.agent.conftest import FleetOnDisk, fleet
from tests.database_fixtures import until
from tests.jobs.private_cron import private_cron

__all__ = ["fleet"]

# A version is well once the test lets it, so that a roll-out takes as long as the test wants.
_APP = """\
rollout: {{wait: 500ms}}
services:
  web:
    image: tiny
    command: "trap 'exit 0' TERM; sleep 99999 & wait"
    volumes: ["data:/data"]
    stop_grace_period: 2s
    healthcheck: {{test: [CMD, test, -e, /data/{version}], interval: 200ms, retries: 3, start_period: 2m}}
jobs:
  tick:
    service: web
    schedule: "* * * * *"
    command: [sh, -c, "echo {version} >>/data/ticks; echo this is {version}"]
"""


def _roll_out(fleet: FleetOnDisk, version: str) -> threading.Thread:
    """Begin to roll a version out."""
    fleet.write("apps/blog.yaml", _APP.format(version=version))
    definitions = load(fleet.root)
    write(fleet.root, render(definitions, read_locks(definitions)))
    fleet.commit()
    thread = threading.Thread(target=fleet.apply)
    thread.start()
    return thread


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _wait_until(moment: datetime) -> None:
    until(lambda: now() > moment, seconds=70)


def test_a_job_that_is_due_while_its_instance_is_rolled_out_runs_once_in_the_new_one(
    fleet: FleetOnDisk, tmp_path: Path
) -> None:
    def past() -> list[Run]:
        return runs(fleet.places, kind="job")[::-1]

    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    first = _roll_out(fleet, "one")
    volume = f"{fleet.name}.alice.data"
    until(lambda: fleet.engine.volumes(fleet.name, "web1"))
    data = fleet.engine.volume_path(volume)
    (data / "one").touch()
    first.join()
    before = set(fleet.running().values())
    until(lambda: now().second < 45)  # the next roll-out is well under way when the minute is over
    with private_cron(fleet.places.cron, tmp_path / "cron"):
        for number, version in enumerate(("two", "three")):
            rolling = _roll_out(fleet, version)
            _wait_until(_minute(now()) + timedelta(seconds=64))
            assert len(past()) == number, "it ran before its instance was well"
            (data / version).touch()
            rolling.join()
            until(lambda: past()[number:], seconds=30)  # noqa: B023  # called at once
            assert past()[-1].container in set(fleet.running().values()) - before
    first_run, second_run = past()
    assert [(one.outcome, one.status, one.tries) for one in past()] == [("ok", 0, 1)] * 2
    assert _minute(second_run.started) - _minute(first_run.started) == timedelta(minutes=1)
    assert (data / "ticks").read_text() == "two\nthree\n"
    logs = [(fleet.places.state / one.log).read_text() for one in past()]
    assert logs == ["this is two\n", "this is three\n"]
