"""`gitops job list` says how every job stands: when it runs next, how it went last, when it was last well."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gitops.jobs.definition import Definition
from gitops.render.jobs import job_files
from gitops.report.history import Run, record
from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import places
from gitops.system.run import Result, run


def _gitops(*words: str) -> Result:
    return run([sys.executable, "-m", "gitops", *words])


def _define(root: Path, *jobs: Definition) -> None:
    """Make this the host of a generation that has these jobs."""
    state = root / "var/lib/gitops"
    for name, text in job_files(jobs).items():
        write(state / "generations/c0ffee/rendered/hosts/web1/jobs" / name, text)
    write(state / "host", "web1\n")
    (state / "current").symlink_to(Path("generations/c0ffee"))


def _job(instance: str, name: str, schedule: str, **more: object) -> Definition:
    return Definition("f", "web1", instance, name, service="web", schedule=schedule, **more)  # type: ignore[arg-type]  # a test's own


def test_every_job_has_a_line_with_its_next_and_last_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    own = Definition("f", "web1", "@host", "backup.shop", argv=("true",), schedule="0 2 * * *")
    _define(
        tmp_path,
        own,
        _job("alice", "tick", "*/5 * * * *", spread=17),
        _job("alice", "tidy", "30 4 * * *", timezone="Europe/Berlin"),
    )
    began = now() - timedelta(hours=3)
    record(places(), Run("job", "alice", "tick", began, began + timedelta(seconds=2), 0))
    later = began + timedelta(hours=1)
    failed = Run("job", "alice", "tick", later, later + timedelta(seconds=3.25), 3, "no room", "failed", "c1")
    record(places(), failed)
    head, backup, tick, tidy = _gitops("job", "list").stdout.splitlines()
    assert head.split() == ["instance", "job", "schedule", "next", "last", "took", "well", "outcome"]
    assert backup.split()[:2] == ["@host", "backup.shop"]
    assert " 02:00:00 JST" in backup
    assert "30 4 * * * Europe/Berlin" in tidy
    assert tidy.split()[-4:] == ["never", "-", "never", "-"]
    assert f"{later.astimezone(ZoneInfo('Asia/Tokyo')):%F %T} JST  3.2 s" in tick
    assert tick.endswith("2 h ago  failed with exit status 3: no room")

    told = {
        f"{one['instance']}/{one['job']}": one
        for one in json.loads(_gitops("job", "list", "--json").stdout)["jobs"]
    }
    assert list(told) == ["@host/backup.shop", "alice/tick", "alice/tidy"]
    one = told["alice/tick"]
    assert datetime.fromisoformat(one["next"]).second == 17
    assert one["last_success"] == stamp(began + timedelta(seconds=2))
    assert (one["last"]["outcome"], one["last"]["status"], one["last"]["seconds"]) == ("failed", 3, 3.25)
    assert (one["last"]["container"], one["late"]) == ("c1", None)
    assert told["alice/tidy"]["last"] is None


def test_a_host_without_jobs_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    assert _gitops("job", "list").stdout == "this host has no jobs\n"
