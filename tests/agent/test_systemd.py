"""On a machine that systemd has booted, the hardened agent and the timers that it installs do their work.

With version 1 of control groups a systemd in a container rearranges those of the whole machine, and so
disturbs whatever else is tested at the same time. There it is tested only where `SYSTEMD=1` asks for it.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.fleet.load import load
from gitops.images.locks import read_locks
from gitops.render.render import render, write
from tests.agent.conftest import APP, FleetOnDisk
from tests.agent.systemd_machine import Machine, booted
from tests.database_fixtures import until

_JOBS = """\
jobs:
  tick: {service: web, schedule: "* * * * *", command: [sh, -c, "echo tick >>/data/ticks; id -u"]}
  long: {service: web, schedule: "0 0 1 1 *", command: [sleep, "7779"], timezone: Asia/Tokyo, overlap: kill}
"""
_SHARED = Path("/sys/fs/cgroup/systemd").is_dir() and not os.environ.get("SYSTEMD")
_TICK, _LONG = "gitops-alice.tick", "gitops-alice.long"


def push(fleet: FleetOnDisk, jobs: str, forge: Path) -> None:
    """Give the forge a commit with these jobs."""
    app = APP.replace("environment: {GREETING", 'volumes: ["files:/data"]\n    environment: {GREETING')
    fleet.write("apps/blog.yaml", app + jobs)
    fleet.write("hosts/web1.yaml", "scheduler: systemd\ninstances: {alice: {app: blog}}\n")
    loaded = load(fleet.root)
    write(fleet.root, render(loaded, read_locks(loaded)))
    fleet.commit()
    fleet.git("push", "--quiet", str(forge), "HEAD:main")


def timers(machine: Machine) -> set[str]:
    told = machine.run("systemctl", "list-timers", "--all", "--no-legend", "gitops-*")
    return {word for word in told.split() if word.endswith(".timer")}


def past(machine: Machine) -> list[tuple[str, str, int]]:
    """Give what ran: the job, how it ended, its exit status."""
    told = json.loads(machine.run("gitops", "job", "history", "--json"))["runs"]
    return [(one["job"], one["outcome"], one["status"]) for one in told]


def sleeping(fleet: FleetOnDisk) -> int:
    """Count the long job's processes, in its container."""
    command = ["docker", "top", f"{fleet.name}.alice.web", "-o", "pid,args"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sum(line.endswith("sleep 7779") for line in told.splitlines())


@pytest.mark.skipif(_SHARED, reason="it would rearrange the control groups of other tests: SYSTEMD=1")
def test_a_push_is_all_that_it_takes_for_a_timer_to_start_a_job_and_for_it_to_stop(
    fleet: FleetOnDisk, api: APIClient, tmp_path: Path
) -> None:
    forge = tmp_path / "shared" / "fleet.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", forge], check=True)
    push(fleet, _JOBS, forge)
    fleet.apply()  # makes the containers, and the image that they are of; systemd is another machine's
    with booted(api, f"{fleet.name}-systemd", tmp_path, forge.parent) as machine:
        machine.run("git", "config", "--system", "--add", "safe.directory", "*")
        install = ("--host", "web1", "--remote", "file:///srv/fleet.git", "--unsigned")
        machine.run("gitops", "agent", "install", *install)
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", "gitops-agent")
        until(lambda: timers(machine) == {f"{_TICK}.timer", f"{_LONG}.timer"})
        until(lambda: ("tick", "ok", 0) in past(machine), seconds=75)
        ticks = fleet.engine.volume_path(f"{fleet.name}.alice.files") / "ticks"
        assert ticks.read_text().startswith("tick\n")
        # A unit that still ran would not be started again, and nobody could decide what that means.
        machine.run("systemctl", "start", f"{_LONG}.service")
        until(lambda: sleeping(fleet) == 1)
        machine.run("systemctl", "start", f"{_LONG}.service")
        until(lambda: any(one[:2] == ("long", "killed") for one in past(machine)))
        until(lambda: sleeping(fleet) == 1)
        push(fleet, "", forge)
        machine.run("gitops", "agent", "wake")
        until(lambda: timers(machine) == set())
        assert machine.active("gitops-agent")
