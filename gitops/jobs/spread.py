"""By how much each instance's runs are moved, and the line of a crontab that starts them then.

Cron knows neither seconds nor time zones, and a moved schedule cannot always be said in five fields. Where it
cannot, the line starts the runner at more minutes than are meant, never at fewer, and the runner asks
`gitops.jobs.calendar` whether this one is. Nothing but the standard library is imported.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from gitops.fleet.crontab import Crontab, crontab

_HOUR, _DAY = 60, 24 * 60
_QUARTERS = (0, 15, 30, 45)
"""Minutes by which clocks of different zones differ, besides hours (tz database: all since 1972)."""


@dataclass(frozen=True)
class Line:
    """When cron is to start the runner.

    Args:
        text: five fields.
        exact: these are the minutes that are meant; otherwise there are others among them.
    """

    text: str
    exact: bool


def offset(spread: float, *names: str) -> int:
    """Give the seconds, below `spread`, by which one thing is moved; its names give always the same."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return int.from_bytes(digest[:8], "big") * int(spread) >> 64


def line(schedule: str, timezone: str | None, moved: int) -> Line:
    """Give the line that starts a job.

    Args:
        schedule: five fields or a nickname.
        timezone: the zone that they are meant in; None: the host's, which cron follows by itself.
        moved: the seconds by which the runs are later; what is over a minute's beginning the runner sleeps.
    """
    times, minutes = crontab(schedule), moved // 60
    if timezone:
        return _anywhere(times, minutes)
    if not minutes:
        return Line(times.text, exact=True)
    moments = {divmod(hour * 60 + minute + minutes, _DAY) for hour in times.hours for minute in times.minutes}
    hours, shown = {moment // 60 for _, moment in moments}, {moment % 60 for _, moment in moments}
    exact = len(hours) * len(shown) == len(moments)
    days, exact_days = _days(times, {day for day, _ in moments})
    fields = f"{_field(shown, _HOUR, wild=times.wild)} {_field(hours, 24, wild=times.wild)}"
    if (
        times.wild and "*" not in fields
    ):  # cron treats those that begin with `*` differently when clocks are put
        return Line(f"* {_field(hours, 24, wild=False)} {days}", exact=False)
    return Line(f"{fields} {days}", exact and exact_days)


def compact(values: Collection[int], sign: str = "-", width: int = 1) -> str:
    """Write numbers as a list or a range with a step, as crontab(5) and systemd.time(7) have them."""
    found = sorted(values)
    steps = {later - earlier for earlier, later in pairwise(found)}
    if len(found) > 2 and len(steps) == 1:  # noqa: PLR2004 # two are a list
        step = steps.pop()
        return f"{found[0]:0{width}}{sign}{found[-1]:0{width}}{f'/{step}' if step > 1 else ''}"
    return ",".join(f"{value:0{width}}" for value in found)


def _anywhere(times: Crontab, minutes: int) -> Line:
    """Give a line with every minute at which it may be time, wherever on earth the host's clock is set to."""
    shown = {(minute + minutes + quarter) % 60 for minute in times.minutes for quarter in _QUARTERS}
    last = (max(times.hours) * 60 + max(times.minutes) + minutes) // _DAY
    days, _ = _days(times, set(range(-1, last + 2)))
    return Line(f"{_field(shown, _HOUR, wild=True)} * {days}", exact=False)


def _days(times: Crontab, later: Collection[int]) -> tuple[str, bool]:
    """Give the fields of days when runs are so many days later, and whether these are exactly the days."""
    words = " ".join(times.text.split()[2:])
    if set(later) == {0} or times.every_day:
        return words, True
    if times.either or len(times.days) < 31 or len(times.months) < 12:  # noqa: PLR2004 # a calendar's
        return "* * *", False
    weekdays = {(weekday + days) % 7 for weekday in times.weekdays for days in later}
    return f"* * {_field(weekdays, 7, wild=True)}", len(later) == 1


def _field(values: Collection[int], of: int, *, wild: bool) -> str:
    return "*" if wild and len(values) == of else compact(values)
