"""What people are told of backups: late, failed, never tried; from what the host remembers alone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops.backup.standing import BackupStanding, Past, age, backed_up, care_notes, past, standings
from gitops.fleet.apps import App
from gitops.fleet.crontab import next_time
from gitops.fleet.fleet import Instance
from gitops.fleet.kinds import Kind
from gitops.report.history import Run, record
from gitops.system.places import Places, places

_NIGHT = datetime(2026, 3, 10, 3, 15, tzinfo=UTC)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    return places()


def _instance(name: str = "alice", **backup: str) -> Instance:
    said: dict[str, object] = {"databases": [{"service": "db", "kind": "redis"}], **backup}
    app = App.model_validate({"services": {"db": {"image": "server"}}, "backup": said})
    return Instance(name, "web1", "shop", app)


def _ran(host: Places, kind: str, at: datetime, *, status: int = 0, detail: str = "") -> None:
    record(host, Run(kind, "alice", "", at, at + timedelta(minutes=5), status, detail))


def _standing(host: Places, now: datetime, **backup: str) -> BackupStanding:
    (found,) = standings(backed_up([_instance(**backup)]), past(host), {}, now)
    return found


def test_an_instance_without_a_backup_is_told_and_one_without_data_is_not(host: Places) -> None:
    assert _standing(host, _NIGHT).notes == ("alice has no backup that this host knows of",)
    nothing = Instance(
        "bob", "web1", "shop", App.model_validate({"services": {"db": {"image": "server"}}, "backup": {}})
    )
    assert standings(backed_up([nothing]), past(host), {}, _NIGHT) == []


def test_an_instance_is_not_late_with_its_first_backup_before_that_could_have_been(host: Places) -> None:
    def kinds(now: datetime) -> tuple[Kind | None, ...]:
        (found,) = standings(backed_up([_instance()]), past(host), {"alice": _NIGHT + _HOUR}, now)
        assert found.notes[0].startswith("alice has no backup that this host knows of")
        return found.kinds

    assert kinds(_NIGHT + 2 * _HOUR) == (None,)
    assert kinds(_NIGHT + _DAY) == (None,)
    assert kinds(_NIGHT + _DAY + 2 * _HOUR) == (Kind.BACKUP_LATE,)


def test_a_backup_is_late_when_its_next_one_has_not_come_within_the_hour(host: Places) -> None:
    _ran(host, "backup", _NIGHT)
    found = _standing(host, _NIGHT + _DAY + _HOUR)
    assert (found.newest, found.notes) == (_NIGHT, ())
    assert found.due == _NIGHT + _DAY + _HOUR + timedelta(minutes=5)
    assert _standing(host, _NIGHT + _DAY + 2 * _HOUR).notes == (
        "alice's newest backup is 26 h old; one was due by 2026-03-11T04:20:00Z",
    )


def test_a_weekly_backup_is_not_late_after_six_days(host: Places) -> None:
    sunday = datetime(2026, 3, 8, 0, 0, tzinfo=UTC)
    _ran(host, "backup", sunday)
    assert _standing(host, sunday + 6 * _DAY, schedule="@weekly").notes == ()
    assert len(_standing(host, sunday + 8 * _DAY, schedule="@weekly").notes) == 1


def test_a_failed_backup_is_told_with_its_reason_until_the_next_good_one(host: Places) -> None:
    _ran(host, "backup", _NIGHT)
    _ran(host, "backup", _NIGHT + _DAY, status=1, detail="database db/shop: the server has gone away")
    found = _standing(host, _NIGHT + _DAY + _HOUR)
    assert found.newest == _NIGHT
    assert found.notes == (
        "alice's last backup failed at 2026-03-11T03:15:00Z: database db/shop: the server has gone away",
    )
    _ran(host, "backup", _NIGHT + _DAY + _HOUR)
    assert _standing(host, _NIGHT + _DAY + 2 * _HOUR).notes == ()


def test_a_drill_that_failed_or_did_not_come_is_told(host: Places) -> None:
    _ran(host, "backup", _NIGHT)
    assert _standing(host, _NIGHT + _HOUR, drill="@hourly").notes == ()
    assert _standing(host, _NIGHT + 3 * _HOUR, drill="@hourly").notes == (
        "alice's backups have never been tried, and a drill was due",
    )
    _ran(host, "drill", _NIGHT + 2 * _HOUR)
    found = _standing(host, _NIGHT + 3 * _HOUR, drill="@hourly")
    assert (found.proved, found.notes) == (_NIGHT + 2 * _HOUR, ())
    _ran(host, "drill", _NIGHT + 3 * _HOUR, status=1, detail="backup 1a2b3c4d: web is unhealthy")
    found = _standing(host, _NIGHT + 4 * _HOUR, drill="@hourly")
    assert found.proved == _NIGHT + 2 * _HOUR
    assert found.notes == (
        "alice's last drill failed at 2026-03-10T06:15:00Z: backup 1a2b3c4d: web is unhealthy",
    )


def test_instances_that_need_somebody_come_first(host: Places) -> None:
    _ran(host, "backup", _NIGHT)
    found = standings(backed_up([_instance("alice"), _instance("bob")]), past(host), {}, _NIGHT + _HOUR)
    assert [one.instance for one in found] == ["bob", "alice"]


def test_a_check_of_the_repository_that_failed_is_told(host: Places) -> None:
    record(host, Run("check", "", "/srv/restic", _NIGHT, _NIGHT, 1, "pack 1a2b is damaged"))
    assert care_notes(past(host)) == [
        "the backup repository's check failed at 2026-03-10T03:15:00Z: pack 1a2b is damaged"
    ]
    assert care_notes(Past()) == []


def test_a_schedule_follows_the_clock_of_the_machine_over_its_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    before = datetime(2026, 3, 28, 2, 15, tzinfo=UTC)  # 03:15 there; in the next night clocks go forward
    assert next_time("15 3 * * *", before) == datetime(2026, 3, 29, 1, 15, tzinfo=UTC)
    assert next_time("@daily", before) == datetime(2026, 3, 28, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "words"), [(-1, "0 min"), (0.5, "30 min"), (5.9, "5 h"), (47, "47 h"), (75, "3 days")]
)
def test_an_age_is_said_in_a_unit_that_fits(hours: float, words: str) -> None:
    assert age(_NIGHT, _NIGHT + hours * _HOUR) == words
