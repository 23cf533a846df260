"""Schedules in systemd's words: what crontab(5) says in five fields as OnCalendar= (systemd.time(7))."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gitops.fleet.crontab import Crontab, crontab
from gitops.jobs.spread import compact

_DAY = 24 * 60
_DAYS, _MONTHS, _WEEK = 31, 12, 7
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Calendar:
    """When systemd is to start the runner.

    Args:
        expressions: each one OnCalendar=.
        exact: these are the times that are meant; otherwise there are others among them.
    """

    expressions: tuple[str, ...]
    exact: bool


def on_calendar(schedule: str, timezone: str | None, moved: int) -> Calendar:
    """Translate a schedule.

    Only that a moved run leaves behind its day of the month or its month cannot be said: the runner then has
    to ask each day whether it is meant.

    Args:
        schedule: five fields or a nickname, as in crontab(5).
        timezone: the zone that they are meant in; None: the host's.
        moved: the seconds by which the runs are later.
    """
    times = crontab(schedule)
    minutes, seconds = divmod(moved, 60)
    zone = f" {timezone}" if timezone else ""
    found: dict[str, None] = {}
    exact = True
    for later, clock in _clocks(times, minutes):
        days, meant = _days(times, later)
        exact &= meant
        found |= dict.fromkeys(f"{day} {clock}:{seconds:02}{zone}" for day in days)
    return Calendar(tuple(found), exact)


def _clocks(times: Crontab, later: int) -> Iterator[tuple[int, str]]:
    """Give the times of day as HOURS:MINUTES, by the number of days that they are moved."""
    shown: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for hour in times.hours:
        for minute in times.minutes:
            days, moment = divmod(hour * 60 + minute + later, _DAY)
            shown[days, moment // 60].add(moment % 60)
    alike: defaultdict[tuple[int, tuple[int, ...]], set[int]] = defaultdict(set)
    for (days, hour), minutes in shown.items():
        alike[days, tuple(sorted(minutes))].add(hour)
    for (days, minutes_shown), hours in sorted(alike.items(), key=lambda one: (one[0][0], min(one[1]))):
        yield days, f"{_field(hours, 24)}:{_field(minutes_shown, 60)}"


def _days(times: Crontab, later: int) -> tuple[list[str], bool]:
    """Give the days of runs that are so many days later, and whether these are exactly the days."""
    if times.every_day:
        return ["*-*-*"], True
    if later and (times.either or len(times.days) < _DAYS or len(times.months) < _MONTHS):
        return ["*-*-*"], False
    months = _field(times.months, _MONTHS)
    weekdays = _week({(day + later) % _WEEK for day in times.weekdays})
    if times.either:
        return [f"*-{months}-{_field(times.days, _DAYS)}", f"{weekdays}*-{months}-*"], True
    return [f"{weekdays}*-{months}-{_field(times.days, _DAYS)}"], True


def _week(days: Collection[int]) -> str:
    if len(days) == _WEEK:
        return ""
    found = sorted((day - 1) % _WEEK for day in days)  # a week begins on Monday, for systemd's ranges
    names = [_WEEKDAYS[day] for day in found]
    together = len(found) > 2 and found[-1] - found[0] == len(found) - 1  # noqa: PLR2004 # two are a list
    return (f"{names[0]}..{names[-1]}" if together else ",".join(names)) + " "


def _field(values: Collection[int], of: int) -> str:
    return "*" if len(values) == of else compact(values, "..", 2)
