"""How jobs stand: when they run next, and that somebody sees when they are run no more."""

from datetime import UTC, datetime, timedelta

import pytest

from gitops.jobs.definition import Definition
from gitops.jobs.standing import JobStanding, job_standings
from gitops.report.history import Past, Run

_MINUTE = timedelta(minutes=1)


def _at(text: str) -> datetime:
    """Give a time of a day in UTC: `1 04:05`."""
    return datetime.strptime(f"2026-3-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def _job(schedule: str, timezone: str | None = "UTC", spread: int = 0) -> Definition:
    return Definition(
        "f", "web1", "alice", "tidy", service="web", schedule=schedule, timezone=timezone, spread=spread
    )


def _past(started: datetime, outcome: str = "ok", status: int = 0, good: datetime | None = None) -> Past:
    return Past(Run("job", "alice", "tidy", started, started, status, outcome=outcome), good, started)


def _stands(
    job: Definition,
    at: datetime,
    last: datetime | None = None,
    since: datetime | None = None,
    *,
    running: bool = False,
) -> JobStanding:
    pasts = {("job", "alice", "tidy"): _past(last)} if last else {}
    (found,) = job_standings([job], pasts, lambda _: since, {("alice", "tidy")} if running else (), at)
    return found


def test_a_job_runs_next_when_its_zone_and_its_part_of_the_spread_say() -> None:
    at = _at("10 12:00")
    assert _stands(_job("30 4 * * *"), at).next == _at("11 04:30")
    assert _stands(_job("30 4 * * *", "Asia/Tokyo"), at).next == _at("10 19:30")
    assert _stands(_job("*/5 * * * *", spread=17), at).next == at + timedelta(seconds=17)


@pytest.mark.parametrize(
    ("schedule", "last", "due", "noticed"),
    [
        ("*/5 * * * *", "1 12:00", "1 12:05", "1 12:20"),
        ("0 * * * *", "1 12:00", "1 13:00", "1 14:10"),
        ("30 4 * * *", "1 04:30", "2 04:30", "2 05:40"),
        ("30 4 1 * *", "1 04:30", None, None),
    ],
)
def test_a_job_is_late_when_its_time_is_longer_over_than_a_period_or_an_hour(
    schedule: str, last: str, due: str | None, noticed: str | None
) -> None:
    job, installed = _job(schedule), _at("1 00:00")
    late = next(
        (
            at
            for minutes in range(3 * 24 * 60)
            if _stands(job, at := _at(last) + minutes * _MINUTE, _at(last), installed).late
        ),
        None,
    )
    assert late == (_at(noticed) + _MINUTE if noticed else None)
    if late and due:
        assert _stands(job, late, _at(last), installed).late == _at(due)


def test_a_job_is_late_only_for_what_was_due_since_its_scheduler_knows_it() -> None:
    job, at = _job("0 * * * *"), _at("9 12:30")
    assert _stands(job, at).late is None
    assert _stands(job, at, last=_at("1 00:00"), since=_at("9 11:30")).late is None
    assert _stands(job, at, last=_at("1 00:00"), since=_at("9 10:30")).late == _at("9 11:00")
    assert _stands(job, at, since=_at("9 10:30")).late == _at("9 11:00")


def test_what_was_due_while_a_job_ran_is_not_late() -> None:
    began, ended = _at("9 10:00"), _at("9 12:10")
    ran = Past(Run("job", "alice", "tidy", began, ended, 0), ended, began)
    for at, late in ((_at("9 12:30"), None), (_at("9 14:30"), _at("9 13:00"))):
        (found,) = job_standings(
            [_job("0 * * * *")], {("job", "alice", "tidy"): ran}, lambda _: began, (), at
        )
        assert found.late == late


def test_a_job_that_still_runs_is_not_late() -> None:
    job, at = _job("0 * * * *"), _at("9 12:30")
    assert _stands(job, at, since=_at("1 00:00")).late
    assert _stands(job, at, since=_at("1 00:00"), running=True).late is None


@pytest.mark.parametrize("schedule", ["*/5 * * * *", "30 2 * * *", "17 3 * * 0", "0 */2 * * *"])
@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_nothing_is_late_because_the_clock_is_put(schedule: str, day: datetime) -> None:
    job = _job(schedule, "Europe/Berlin")
    at = day - timedelta(hours=30)
    last = at
    while at < day + timedelta(hours=30):
        stands = _stands(job, at, last, day - timedelta(days=9))
        assert stands.late is None, at
        assert stands.next > at
        last = stands.next
        at = last + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("schedule", "last", "next_", "noticed"),
    [
        (
            "*/5 * * * *",
            "2026-10-25T00:55Z",
            "2026-10-25T02:00Z",
            "2026-10-25T04:21Z",
        ),
        (
            "30 2 * * *",
            "2026-03-28T01:30Z",
            "2026-03-30T00:30Z",
            "2026-03-30T01:41Z",
        ),
    ],
)
def test_what_systemd_leaves_out_when_the_clock_is_put_is_not_late_and_yet_its_end_is_noticed(
    schedule: str, last: str, next_: str, noticed: str
) -> None:
    job, installed = _job(schedule, "Europe/Berlin"), datetime(2026, 3, 1, tzinfo=UTC)
    began, again, late = (datetime.fromisoformat(one) for one in (last, next_, noticed))
    for minutes in range(int((again - began) / _MINUTE)):
        assert _stands(job, began + minutes * _MINUTE, began, installed).late is None
    assert _stands(job, late, began, installed).late
    assert _stands(job, late - 2 * _MINUTE, began, installed).late is None


def test_what_somebody_should_look_at_is_said_in_words() -> None:
    since, at = _at("1 00:00"), _at("9 12:30")
    pasts = {("job", "alice", "tidy"): _past(_at("9 10:00"), "failed", 3, good=_at("9 09:00"))}
    (found,) = job_standings([_job("0 * * * *")], pasts, lambda _: since, (), at)
    assert found.notes == (
        "alice/tidy should have run at 2026-03-09T11:00:00Z, and nothing has begun it",
        (
            "alice/tidy failed with exit status 3 at 2026-03-09T10:00:00Z; it last went well at "
            "2026-03-09T09:00:00Z; gitops job log alice tidy"
        ),
    )
    assert _stands(_job("0 * * * *"), at, last=_at("9 12:00"), since=since).notes == ()
