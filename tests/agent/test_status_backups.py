"""`gitops status` says how backups stand, and that somebody should look where they do not stand well."""

import json
import sys
from datetime import timedelta

from gitops.report.history import Run, record
from gitops.system.clock import now
from gitops.system.run import Result, run
from tests.agent.conftest import APP, FleetOnDisk

_BACKUP = "backup: {schedule: '0 0 29 2 *', volumes: [data]}\n"


def _status(fleet: FleetOnDisk, *words: str) -> Result:
    return run([sys.executable, "-m", "gitops", "status", *words], cwd=fleet.root, check=False)


def _apply(fleet: FleetOnDisk) -> None:
    fleet.write("apps/blog.yaml", APP + _BACKUP)
    fleet.write(
        "hosts/web1.yaml",
        "backup: {repository: /srv/restic}\ninstances: {alice: {app: blog}, bob: {app: blog}}\n",
    )
    fleet.commit()
    fleet.apply()


def test_status_says_how_old_backups_are_and_which_are_missing(fleet: FleetOnDisk) -> None:
    _apply(fleet)
    begun = now() - timedelta(hours=5)
    record(fleet.places, Run("backup", "alice", "", begun, begun, 0))
    record(fleet.places, Run("drill", "alice", "", begun, begun, 0))
    shown = _status(fleet).stdout.splitlines()
    assert "bob has no backup that this host knows of; the first is due by " in shown[3]
    assert shown[3].endswith(", or now: gitops backup run bob")
    head = next(number for number, line in enumerate(shown) if line.endswith("proved"))
    assert [line.split() for line in shown[head : head + 3]] == [
        ["instance", "backup", "proved"],
        ["bob", "never", "never"],
        ["alice", "5", "h", "5", "h"],
    ]
    told = json.loads(_status(fleet, "--json").stdout)
    assert not told["well"]
    assert [one["instance"] for one in told["backups"]] == ["bob", "alice"]
    assert told["backups"][1]["newest"] == begun.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert _status(fleet, "--exit-code").status == 1

    record(fleet.places, Run("backup", "bob", "", begun, begun, 0))
    assert _status(fleet, "--exit-code").status == 0


def test_status_of_apps_without_data_says_nothing_of_backups(fleet: FleetOnDisk) -> None:
    fleet.apply()
    assert "backup" not in _status(fleet).stdout
    assert _status(fleet, "--exit-code").status == 0
