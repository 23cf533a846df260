"""What a host's scheduler is given: cron's manifest or systemd's units, whole, and nobody else's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.deploy.schedule import install_schedule, schedule_changes, schedule_summary
from gitops.deploy.units import installed_units
from gitops.fleet.load import load
from gitops.render.schedule import schedule_files
from gitops.system.errors import UserError
from tests.agent.conftest import APP, FleetOnDisk

ENTRY = "*/5 * * * * root gitops job run alice wp-cron --due"
JOBS = "jobs:\n  wp-cron: {service: web, every: 5m, command: 'true'%s}\n"
KILLED = """
import json, os, sys
step, fleet, files = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
from gitops.deploy.schedule import install_schedule
from gitops.system.places import places
here, seen = places(), 0

def watch(event, _):
    global seen
    if event not in {"os.rename", "os.symlink", "os.remove", "os.mkdir"}:
        return
    seen += 1
    if seen == step:
        os.kill(os.getpid(), 9)

sys.addaudithook(watch)
install_schedule(files, fleet, here)
"""
CRON, SYSTEMD = "", "scheduler: systemd\n"


def cron_files(name: str, entry: str = f"{ENTRY}\n") -> dict[str, str]:
    return {f"cron.d/gitops-{name}": f"# gitops\nSHELL=/bin/sh\nPATH=/usr/bin:/bin\n{entry}"}


def define(
    fleet: FleetOnDisk, scheduler: str, instances: str = "alice: {app: blog}", more: str = ""
) -> dict[str, str]:
    """Say who schedules a job of these instances; give what is rendered then."""
    fleet.write("apps/blog.yaml", APP + JOBS % more)
    fleet.write("hosts/web1.yaml", f"{scheduler}instances: {{{instances}}}\n")
    return schedule_files(load(fleet.root), "web1")


def units(fleet: FleetOnDisk) -> list[str]:
    return sorted(path.name for path in fleet.places.systemd.rglob("*.*") if not path.is_dir())


def test_crons_manifest_finds_this_installation_again(fleet: FleetOnDisk) -> None:
    files = cron_files(fleet.name)
    assert install_schedule(files, fleet.name, fleet.places)
    path = fleet.places.cron / f"gitops-{fleet.name}"
    lines = path.read_text().splitlines()
    assert lines[-1] == ENTRY
    assert f"GITOPS_ROOT={os.environ['GITOPS_ROOT']}" in lines
    last_path = [line for line in lines if line.startswith("PATH=")][-1]
    assert (Path(last_path.removeprefix("PATH=").partition(":")[0]) / "gitops").exists()
    assert path.stat().st_mode & 0o777 == 0o644
    assert not install_schedule(files, fleet.name, fleet.places)


def test_a_host_with_nothing_scheduled_has_no_manifest(fleet: FleetOnDisk) -> None:
    install_schedule(cron_files(fleet.name), fleet.name, fleet.places)
    assert install_schedule(cron_files(fleet.name, ""), fleet.name, fleet.places)
    assert not list(fleet.places.cron.iterdir())


def test_a_plan_tells_which_entries_of_the_schedule_come_and_go(fleet: FleetOnDisk) -> None:
    name, here = fleet.name, fleet.places
    assert schedule_changes(cron_files(name), name, here) == [f"+ {ENTRY}"]
    install_schedule(cron_files(name), name, here)
    assert schedule_changes(cron_files(name), name, here) == []
    later = ENTRY.replace("*/5", "*/9")
    assert schedule_changes(cron_files(name, later), name, here) == [f"- {ENTRY}", f"+ {later}"]
    assert schedule_changes({}, name, here) == [f"- {ENTRY}"]


def test_units_are_enabled_and_find_this_installation_again(fleet: FleetOnDisk) -> None:
    files, told = define(fleet, SYSTEMD), list[str]()
    assert install_schedule(files, fleet.name, fleet.places, told.append)
    timer = "gitops-alice.wp-cron.timer"
    assert units(fleet) == ["gitops-alice.wp-cron.service", timer, timer]
    assert (fleet.places.systemd / "timers.target.wants" / timer).resolve() == fleet.places.systemd / timer
    service = (fleet.places.systemd / "gitops-alice.wp-cron.service").read_text()
    (path,) = [line for line in service.splitlines() if line.startswith("ExecSearchPath=")]
    assert (Path(path.removeprefix("ExecSearchPath=").partition(":")[0]) / "gitops").exists()
    assert f'Environment="GITOPS_ROOT={os.environ["GITOPS_ROOT"]}"' in service.splitlines()
    assert told == [f"no systemd reads {fleet.places.systemd} here, so nothing starts the jobs' timers"]
    assert not install_schedule(files, fleet.name, fleet.places, told.append)
    assert len(told) == 1


def test_units_that_belong_to_nothing_any_more_go_and_others_stay(fleet: FleetOnDisk) -> None:
    both = define(fleet, SYSTEMD, "alice: {app: blog}, bob: {app: blog}")
    install_schedule(both, fleet.name, fleet.places)
    others = {
        "gitops-agent.service": "# Written by gitops agent install.\n",
        "gitops-bob.mine.timer": "[Timer]\nOnCalendar=daily\n",
        "gitops-x.y.timer": both["systemd/gitops-bob.wp-cron.timer"].replace(fleet.name, f"{fleet.name}-2"),
    }
    for name, text in others.items():
        (fleet.places.systemd / name).write_text(text)
    assert install_schedule(define(fleet, SYSTEMD, "bob: {app: blog}"), fleet.name, fleet.places)
    timer = "gitops-bob.wp-cron.timer"
    assert units(fleet) == sorted([*others, "gitops-bob.wp-cron.service", timer, timer])
    assert all((fleet.places.systemd / name).read_text() == text for name, text in others.items())


@pytest.mark.parametrize("harm", ["changed", "removed", "disabled", "unheard"])
def test_what_happened_to_a_unit_is_seen_and_mended(fleet: FleetOnDisk, harm: str) -> None:
    files = define(fleet, SYSTEMD)
    install_schedule(files, fleet.name, fleet.places)
    before, summary = installed_units(fleet.name, fleet.places), schedule_summary(fleet.name, fleet.places)
    timer = fleet.places.systemd / "gitops-alice.wp-cron.timer"
    if harm == "changed":
        timer.write_text(timer.read_text().replace("00..55/5", "00..55/7"))
    elif harm == "removed":
        timer.unlink()
    elif harm == "disabled":
        (timer.parent / "timers.target.wants" / timer.name).unlink()
    else:  # killed before systemd heard of a change
        (fleet.places.state / "units-changed").touch()
    assert schedule_summary(fleet.name, fleet.places) != summary
    assert install_schedule(files, fleet.name, fleet.places)
    assert installed_units(fleet.name, fleet.places) == before
    assert (timer.parent / "timers.target.wants" / timer.name).is_symlink()
    assert not install_schedule(files, fleet.name, fleet.places)


def test_an_install_that_is_killed_at_any_step_is_brought_to_its_end_by_the_next(fleet: FleetOnDisk) -> None:
    name, here = fleet.name, fleet.places
    one, two = (define(fleet, SYSTEMD, f"{instance}: {{app: blog}}") for instance in ("alice", "bob"))
    install_schedule(two, name, here)
    expected, summary = units(fleet), schedule_summary(name, here)
    step = status = 1
    while status:
        install_schedule(one, name, here)
        command = [sys.executable, "-c", KILLED, str(step), name, json.dumps(two)]
        status = subprocess.run(command, check=False).returncode
        assert status in {0, -9}
        # Either all is done, or it shows that it is not.
        assert (units(fleet) == expected and "True" not in schedule_summary(name, here)) or status
        assert install_schedule(two, name, here) is bool(status)
        assert units(fleet) == expected
        assert not install_schedule(two, name, here)
        step += 1
    assert step > 8
    assert "False" in summary


def test_a_schedule_that_cannot_be_written_is_told_and_keeps_nothing_from_running(fleet: FleetOnDisk) -> None:
    define(fleet, SYSTEMD)
    fleet.commit()
    fleet.places.systemd.parent.mkdir(parents=True)
    fleet.places.systemd.write_text("in the way\n")
    for _ in range(2):
        with pytest.raises(UserError, match="the schedule cannot be written: ") as caught:
            fleet.apply()
        assert str(fleet.places.systemd) in str(caught.value)
        assert set(fleet.running()) == {"alice/db", "alice/web"}
    fleet.places.systemd.unlink()
    fleet.apply()
    assert len(units(fleet)) == 3


def test_another_scheduler_by_a_commit_changes_manifests_and_nothing_else(fleet: FleetOnDisk) -> None:
    define(fleet, CRON)
    fleet.commit()
    fleet.apply()
    running = fleet.running()
    manifest = fleet.places.cron / f"gitops-{fleet.name}"
    assert ENTRY in manifest.read_text()
    assert units(fleet) == []
    for scheduler, there in ((SYSTEMD, 3), (CRON, 0)):
        files = define(fleet, scheduler)
        changes = schedule_changes(files, fleet.name, fleet.places)
        entry, timer = ENTRY, "gitops-alice.wp-cron.timer: *-*-* *:00..55/5:00"
        assert sorted(changes) == (
            [f"+ {timer}", f"- {entry}"] if scheduler else sorted([f"+ {entry}", f"- {timer}"])
        )
        fleet.commit()
        steps, told = fleet.apply()
        assert not steps
        assert f"schedule web1: what {'systemd' if scheduler else 'cron'} is to run changed" in told
        assert fleet.running() == running
        assert len(units(fleet)) == there
        assert manifest.exists() is not bool(scheduler)
