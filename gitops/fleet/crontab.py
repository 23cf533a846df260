"""When a schedule runs: crontab(5)'s five fields as sets, and the times that follow from them.

The rules are Debian's cron's: 7 is Sunday too, and where neither the day of the month nor the day of the
week begins with `*`, a day that fits one of them will do. What cron takes and then never runs (30 February, a
range that ends before it begins) is refused here. Nothing but the standard library is imported, since a
scheduled job's start pays for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, pairwise

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""What crontab(5) has for five fields; `@reboot` is no time."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\w+))?", re.ASCII)
_DAY = 24 * 60
_CENTURY = 112 * 366  # 29 February is a given day of the week every 28 years, or 40
_LOOKED_AT = 400


@dataclass(frozen=True)
class Crontab:
    """Five fields, understood.

    Args:
        text: the fields as cron is told them, a space between.
        minutes: of the hour.
        hours: of the day.
        days: of the month.
        months: 1 is January.
        weekdays: 0 is Sunday, 6 Saturday.
        either: a day fits that is in `days` or in `weekdays`; otherwise it must be in both.
        wild: minute or hour begin with `*`: cron follows the clock when it is put forward or back; other
            jobs it runs once, whatever is done to the clock (cron(8)).
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    wild: bool

    @property
    def every_day(self) -> bool:
        """Tell whether no day is left out."""
        return len(self.days) == 31 and len(self.months) == 12 and len(self.weekdays) == 7  # noqa: PLR2004 # a calendar's

    def fits(self, day: date) -> bool:
        """Tell whether there are runs on a day."""
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either else by_date and by_weekday

    def includes(self, moment: datetime) -> bool:
        """Tell whether a minute is one of the schedule's, by the clock that the time shows."""
        return moment.minute in self.minutes and moment.hour in self.hours and self.fits(moment.date())

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Give the runs later than a time, for a century.

        Args:
            moment: with a zone: runs are in that zone; a run at a time that the clock leaves out is at the
                moment when it is put forward, one at a time that comes twice at the first, and `wild` ones
                at neither or both. Without a zone: the clock is never put.
        """
        for number in range(0 if self.fits(moment.date()) else 1, _CENTURY):
            day = moment.date() + timedelta(days=number)
            if self.fits(day):
                runs = self._of(day, moment)
                yield from (one for one in runs if number or _utc(one) > _utc(moment))

    def closest(self) -> int:
        """Give the least number of minutes between two runs, as long as the clock is not put."""
        return _closest(self)

    def _of(self, day: date, moment: datetime) -> Iterator[datetime]:
        zone = moment.tzinfo
        shown = (time(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes))
        local = (datetime.combine(day, one, zone) for one in shown)
        midnight = datetime.combine(day, time(), zone)
        if zone is None or midnight.utcoffset() == (midnight + timedelta(days=1)).utcoffset():
            yield from local
            return
        moments = {_utc(one) for shown in local for one in self._meant(shown)}
        yield from (one.astimezone(zone) for one in sorted(moments))

    def _meant(self, shown: datetime) -> Iterator[datetime]:
        """Give when it is what a clock shows, on a day on which it is put."""
        first, second = shown, shown.replace(fold=1)
        if _utc(first).astimezone(shown.tzinfo).replace(tzinfo=None) != shown.replace(tzinfo=None):
            if not self.wild:  # PEP 495: where the clock was put forward, fold 0 has the offset from before
                gap = (second.utcoffset() or timedelta()) - (first.utcoffset() or timedelta())
                yield _forward(_utc(first) - gap, _utc(first), shown)
        else:
            yield first
            if self.wild:
                yield second


@lru_cache(maxsize=4096)
def crontab(schedule: str) -> Crontab:
    """Understand a schedule.

    Args:
        schedule: five fields or a nickname, as in crontab(5).

    Raises:
        ValueError: cron would not take it, or never run it; its text says which field and why.
    """
    words = schedule.split()
    if schedule.strip() == "@reboot":
        raise ValueError("`@reboot` is no time; a service starts with the host by itself")
    if words and words[0].startswith("@"):
        if len(words) > 1 or words[0] not in NICKNAMES:
            raise ValueError(f"{schedule!r} is none of cron's nicknames: {', '.join(NICKNAMES)}")
        words = NICKNAMES[words[0]].split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            f"{schedule!r} is not a schedule; write five fields, as in crontab(5): minute, hour, day of the "
            "month, month, day of the week"
        )
    minutes, hours, days, months, weekdays = (
        _field(word, *field) for word, field in zip(words, _FIELDS, strict=True)
    )
    found = Crontab(
        text=" ".join(words),
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either=not (words[2].startswith("*") or words[4].startswith("*")),
        wild=words[0].startswith("*") or words[1].startswith("*"),
    )
    if not found.either and not any(min(days) <= _LONGEST[month - 1] for month in months):
        raise ValueError(f"{schedule!r} never runs: there is no such day in such a month")
    return found


def _field(word: str, what: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise ValueError(f"{word!r} is not a {what}; crontab(5) has `*`, 5, 1-5, 1-5/2, */10 and lists")
        values, first, last, step = match.groups()
        if step and first and not last:
            raise ValueError(f"cron takes a step after `*` or a range alone; write {first}-{high}/{step}")
        begin = low if values == "*" else _number(first, what, low, high, names)
        end = high if values == "*" else _number(last or first, what, low, high, names)
        if begin > end:
            raise ValueError(
                f"the {what} {part!r} ends before it begins, and cron would never run it; "
                f"write {begin}-{high},{low}-{end}"
            )
        width = _number(step, f"step of the {what}", 1, high - low, ()) if step else 1
        found.update(range(begin, end + 1, width))
    return frozenset(found)


def _number(word: str, what: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if word.lower() in names:
        return names.index(word.lower()) + low
    if not word.isdigit() or not low <= int(word) <= high:
        named = f" or {names[0]} to {names[-1]}" if names else ""
        raise ValueError(f"{word!r} is not a {what}: {low} to {high}{named}")
    return int(word)


def next_time(schedule: str, after: datetime) -> datetime:
    """Give the first time after another at which a schedule is due, by this machine's clock; both in UTC."""
    here = after.astimezone().replace(tzinfo=None)
    return next(crontab(schedule).after(here)).astimezone(UTC)


@lru_cache(maxsize=4096)
def _closest(schedule: Crontab) -> int:
    times = sorted(hour * 60 + minute for hour in schedule.hours for minute in schedule.minutes)
    midnight = crontab(" ".join(["0", "0", *schedule.text.split()[2:]]))
    days = [one.date() for one in islice(midnight.after(datetime(2000, 1, 1)), _LOOKED_AT)]  # noqa: DTZ001 # no zone
    nights = [(later - earlier).days * _DAY for earlier, later in pairwise(days)]
    over_night = min(nights) - (times[-1] - times[0])
    return min([over_night, *(later - earlier for earlier, later in pairwise(times))])


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _forward(before: datetime, after: datetime, shown: datetime) -> datetime:
    """Find the moment at which a clock is put forward, between two moments (UTC), to the minute."""
    zone = shown.tzinfo
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) // 2
        middle = middle.replace(second=0, microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
