"""History is for people: the newest first, never endless, and never in the way."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from gitops.report import history
from gitops.report.history import Run, record, runs
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))


def _run(kind: str = "job", instance: str = "alice", name: str = "tick", status: int = 0) -> Run:
    began = now()
    return Run(kind, instance, name, began, began + timedelta(seconds=1.5), status, "a détail")


def test_what_was_recorded_is_given_back_newest_first(places: Places) -> None:
    recorded = [_run(status=status) for status in (0, 1, 124)]
    for one in recorded:
        record(places, one)
    assert runs(places) == recorded[::-1]
    assert runs(places)[0].seconds == 1.5


def test_runs_are_found_by_kind_instance_and_name(places: Places) -> None:
    for one in (_run(), _run(kind="backup", name=""), _run(instance="bob"), _run(name="tock")):
        record(places, one)
    assert len(runs(places, kind="job")) == 3
    assert [one.name for one in runs(places, kind="job", instance="alice")] == ["tock", "tick"]
    assert len(runs(places, kind="job", instance="alice", name="tick")) == 1
    assert len(runs(places, limit=2)) == 2


def test_old_runs_go_but_never_those_of_another_job(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 3)
    record(places, _run(name="rare", status=7))
    for status in range(6):
        record(places, _run(status=status))
    assert [one.status for one in runs(places, name="tick")] == [5, 4, 3]
    assert [one.status for one in runs(places, name="rare")] == [7]


def _record_ten(places: Places) -> None:
    for _ in range(10):
        record(places, _run())


def test_jobs_of_one_minute_all_get_recorded(places: Places) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(_record_ten, [places] * 4))
    assert len(runs(places, limit=100)) == 40


def test_a_broken_history_does_not_stop_work_and_says_so_when_asked(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    places.state.mkdir()
    (places.state / "history.db").write_bytes(b"not a database" * 1000)
    record(places, _run())
    assert "not recorded" in caplog.text
    with pytest.raises(UserError, match="move it away"):
        runs(places)


def test_it_is_one_plain_sqlite_file(places: Places) -> None:
    record(places, _run())
    database = sqlite3.connect(places.state / "history.db")
    assert database.execute("SELECT name, status FROM runs").fetchall() == [("tick", 0)]
    database.close()
