"""The schedule is a window: whether this minute is in it."""

from datetime import UTC, datetime

import pytest

from gitops.fleet.updates import Updates
from gitops.updates.schedule import is_open


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_without_a_schedule_every_minute_will_do() -> None:
    assert is_open(Updates(), at("2025-06-01T12:34:56Z"))


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2025-06-02T01:00:00+02:00", True),
        ("2025-06-02T05:59:59+02:00", True),
        ("2025-06-02T06:00:00+02:00", False),
        ("2025-06-02T00:59:59+02:00", False),
        ("2025-06-01T03:00:00+02:00", False),  # a Sunday
        ("2025-03-31T01:00:00Z", True),  # the first weekday after clocks went forward
    ],
)
def test_its_minutes_are_those_of_its_time_zone(time: str, *, expected: bool) -> None:
    settings = Updates(schedule="* 1-5 * * 1-5", timezone="Europe/Berlin")
    assert is_open(settings, at(time)) is expected


def test_the_hours_around_a_change_of_clocks_count_as_they_are_on_the_wall() -> None:
    settings = Updates(schedule="* 3 * * *", timezone="Europe/Berlin")
    assert is_open(settings, at("2025-03-30T03:00:00+02:00"))
    assert not is_open(settings, at("2025-03-30T01:59:00+01:00"))
    assert is_open(Updates(schedule="* 2 * * *", timezone="Europe/Berlin"), at("2025-10-26T02:30:00+01:00"))
