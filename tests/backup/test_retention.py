"""Retention keeps the newest of each period, never takes the last good set, and whole runs only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gitops.backup.answers import Snapshot
from gitops.backup.retention import kept, stale
from gitops.backup.sets import BackupSet, Dataset, Part
from gitops.fleet.backups import Keep

_START = datetime(2025, 1, 1, 3, 15, tzinfo=UTC)
_NONE = Keep(daily=0, weekly=0, monthly=0)


def _sets(*times: datetime) -> list[BackupSet]:
    return [_set(number, time) for number, time in enumerate(times)]


def _set(number: int, time: datetime, instance: str = "alice") -> BackupSet:
    part = Part(Dataset("volume", "", "uploads"), f"{number:063x}a", "/", 1, "")
    return BackupSet(f"{number:063x}f", f"R{number}", "demo", "web1", instance, time, (part,))


def _failed(one: BackupSet) -> BackupSet:
    return replace(one, parts=(), failed=((Dataset("mariadb", "db", "x"), "it died"),))


def _saved(one: BackupSet) -> list[Snapshot]:
    tags = ("gitops", "fleet=demo", f"run={one.run}")
    parts = [Snapshot(part.snapshot, one.time, tags) for part in one.parts]
    return [*parts, Snapshot(one.id, one.time, (*tags, "set"))]


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


def test_the_newest_complete_set_stays_however_old_and_however_many_failed_since() -> None:
    old, *since = _hours(0, 100, 200, 300)
    failed = [_failed(one) for one in since]
    assert kept([old, *failed], _NONE) == [old, *failed]


def test_what_failed_goes_when_something_newer_is_complete() -> None:
    first, second, third = _hours(0, 1, 2)
    assert kept([first, _failed(second), third], _NONE) == [third]


def test_three_safety_sets_stay_and_do_not_count_as_backups() -> None:
    backup, *others = _hours(0, 1, 2, 3, 4)
    safety = [replace(one, safety=True) for one in others]
    assert kept([backup, *safety], _NONE) == [backup, *safety[1:]]


def test_of_a_run_all_goes_or_nothing_manifests_first() -> None:
    first, second, third = _hours(0, 1, 2)
    bob = replace(first, instance="bob")
    everything = [*_saved(first), *_saved(second), *_saved(third)]
    keep = lambda _: _NONE  # noqa: E731
    assert stale(everything, [first, second, third, bob], keep) == (
        [second.id],
        [second.parts[0].snapshot],
    )
    assert stale(everything, [first, second, third], keep) == (
        [first.id, second.id],
        [first.parts[0].snapshot, second.parts[0].snapshot],
    )


def test_parts_of_a_run_cut_short_go_and_what_nobody_understands_stays() -> None:
    whole, cut, unreadable = _hours(0, 1, 2)
    foreign = Snapshot("e" * 64, _START, ("gitops", "fleet=demo"))
    everything = [*_saved(whole), *_saved(cut)[:1], *_saved(unreadable), foreign]
    assert stale(everything, [whole], lambda _: _NONE) == ([], [cut.parts[0].snapshot])


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
