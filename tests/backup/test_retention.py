"""Retention keeps the newest of each period, and never takes the last good set."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gitops.backup.retention import kept
from gitops.backup.sets import BackupSet
from gitops.fleet.backups import Keep

_START = datetime(2025, 1, 1, 3, 15, tzinfo=UTC)
_NONE = Keep(daily=0, weekly=0, monthly=0)


def _sets(*times: datetime) -> list[BackupSet]:
    return [BackupSet(f"{number:064x}", time, ()) for number, time in enumerate(times)]


def _hours(*hours: int) -> list[BackupSet]:
    return _sets(*(_START + timedelta(hours=hour) for hour in hours))


def test_the_newest_of_each_day_stays_for_as_many_days_as_asked() -> None:
    sets = _hours(0, 1, 24, 25, 48, 49, 72)
    assert kept(sets, Keep(daily=3, weekly=0, monthly=0)) == [sets[3], sets[5], sets[6]]


def test_days_without_a_backup_do_not_count() -> None:
    sets = _hours(0, 24 * 30, 24 * 90)
    assert kept(sets, Keep(daily=3, weekly=0, monthly=0)) == sets


def test_weeks_months_and_years_reach_back_further() -> None:
    sets = _hours(*range(0, 24 * 800, 24))
    stay = kept(sets, Keep(daily=7, weekly=4, monthly=6, yearly=2))
    assert sets[-7:] == [one for one in sets[-7:] if one in stay]
    assert len(stay) <= 7 + 4 + 6 + 2
    assert min(one.time for one in stay).year == 2026
    assert sets[364] not in stay  # the newest of 2025 is not among the newest of two years, 2026 and 2027


def test_nothing_asked_still_leaves_the_newest() -> None:
    sets = _hours(0, 1, 2)
    assert kept(sets, _NONE) == [sets[2]]
    assert kept([], _NONE) == []


@given(
    hours=st.lists(st.integers(0, 20_000), min_size=1, max_size=40, unique=True),
    counts=st.tuples(*[st.integers(0, 5)] * 6),
)
def test_the_newest_set_always_stays_and_no_set_is_invented(
    hours: list[int], counts: tuple[int, ...]
) -> None:
    sets = _hours(*hours)
    keep = Keep(**dict(zip(("last", "hourly", "daily", "weekly", "monthly", "yearly"), counts, strict=True)))
    stay = kept(sets, keep)
    assert max(sets, key=lambda one: one.time) in stay
    assert set(stay) <= set(sets)
    assert len(stay) <= max(1, sum(counts))
    assert kept(stay, keep) == stay
