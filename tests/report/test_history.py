"""History is for people: the newest first, never endless, and never in the way."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from gitops.report import recording
from gitops.report.history import Run, pasts, record, runs
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
    monkeypatch.setattr(recording, "KEPT", 3)
    record(places, _run(name="rare", status=7))
    for status in range(1, 7):
        record(places, _run(status=status))
    assert [one.status for one in runs(places, name="tick")] == [6, 5, 4]
    assert [one.status for one in runs(places, name="rare")] == [7]


def test_the_last_that_ended_well_stays_however_often_it_failed_since(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "KEPT", 3)
    for status in (0, 0, 1, 2, 3, 4):
        record(places, _run(status=status))
    well, *_ = [one for one in runs(places) if one.status == 0]
    past = pasts(places)["job", "alice", "tick"]
    assert (past.last.status, past.good) == (4, well.ended)
    assert [one.status for one in runs(places)] == [4, 3, 2, 0]


def test_what_was_skipped_or_missed_is_not_taken_for_a_success(places: Places) -> None:
    record(places, _run(name="never", status=3))
    for outcome in ("ok", "skipped", "missed"):
        record(places, replace(_run(), outcome=outcome))
    found = pasts(places)
    assert found["job", "alice", "never"].good is None
    assert found["job", "alice", "tick"].last.outcome == "missed"
    assert found["job", "alice", "tick"].good == runs(places, name="tick")[-1].ended


def test_what_is_skipped_does_not_hide_how_it_went_before(places: Places) -> None:
    first = _run()
    for number, outcome in enumerate(("ok", "timeout", "skipped", "skipped")):
        at = first.started + timedelta(minutes=number)
        record(places, replace(first, outcome=outcome, started=at, ended=at))
    record(places, replace(first, name="other", outcome="skipped"))
    found = pasts(places)
    tick, other = found["job", "alice", "tick"], found["job", "alice", "other"]
    assert (tick.last.outcome, tick.asked) == ("timeout", first.started + timedelta(minutes=3))
    assert (other.last.outcome, other.asked) == ("skipped", first.started)


def test_a_run_says_where_what_it_followed_how_often_and_where_its_log_is(places: Places) -> None:
    one = replace(
        _run(status=124),
        outcome="timeout",
        container="c" * 64,
        generation="a" * 40,
        tries=3,
        log="jobs/x.log",
    )
    number = record(places, one)
    (found,) = runs(places)
    assert (found, found.number) == (one, number)
    assert [_run(status=status).outcome for status in (0, 1)] == ["ok", "failed"]


_BEFORE = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT NOT NULL, status INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT;
INSERT INTO runs (kind, instance, name, started, ended, status, detail) VALUES
    ('job', 'alice', 'tick', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', 0, ''),
    ('job', 'alice', 'tick', '2026-01-01T00:05:00+00:00', '2026-01-01T00:05:02+00:00', 3, 'no');
"""


def test_a_history_of_an_older_version_opens_and_goes_on_whoever_is_first(places: Places) -> None:
    places.state.mkdir()
    with closing(sqlite3.connect(places.state / "history.db")) as database:
        database.executescript(_BEFORE)
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(_record_ten, [places] * 4))
    found = runs(places, limit=100)
    assert len(found) == 42
    assert [(one.status, one.outcome, one.tries) for one in found[-2:]] == [(3, "failed", 1), (0, "ok", 1)]


def test_a_gitops_from_before_can_still_write(places: Places) -> None:
    record(places, _run())
    with closing(sqlite3.connect(places.state / "history.db")) as database, database:
        database.execute(_BEFORE[_BEFORE.index("INSERT") :].strip().rstrip(";"))
    assert [one.outcome for one in runs(places)] == ["failed", "ok", "ok"]


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
