"""When jobs run, their zone and their part of `spread` taken into account."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gitops.fleet.crontab import crontab
from gitops.jobs.spread import line

_LOCALTIME = Path("/etc/localtime")


def runs(schedule: str, timezone: str | None, moved: int, after: datetime) -> Iterator[datetime]:
    """Give the times at which a job is begun, later than a time, for a century; all in UTC.

    Args:
        schedule: five fields or a nickname.
        timezone: the zone that they are meant in; None: this machine's.
        moved: the seconds by which its runs are later than its schedule says.
        after: a time with a zone.
    """
    started = line(schedule, timezone, moved)
    fields, late = (started.text, moved % 60) if started.exact else (schedule, moved)
    by = timedelta(seconds=late)
    for moment in crontab(fields).after((after - by).astimezone(zone_of(timezone))):
        yield moment.astimezone(UTC) + by


def due(schedule: str, timezone: str | None, moved: int, started: datetime) -> bool:
    """Tell whether a start of cron's is one that is meant.

    Args:
        schedule: five fields or a nickname.
        timezone: the zone that they are meant in; None: this machine's.
        moved: the seconds by which its runs are later than its schedule says.
        started: when cron started the runner, with a zone; cron does so within the minute that it means.
    """
    if line(schedule, timezone, moved).exact:
        return True
    minute = started.replace(second=0, microsecond=0)
    before = minute - timedelta(minutes=moved // 60 + 1)
    meant = next(crontab(schedule).after(before.astimezone(zone_of(timezone))), None)
    return meant is not None and meant.astimezone(UTC) == before + timedelta(minutes=1)


def zone_of(timezone: str | None) -> ZoneInfo:
    """Give a zone with its rules; this machine's, as tzset(3) finds it, when none is named."""
    name = timezone or os.environ.get("TZ", "").removeprefix(":")
    if name:
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name)
    try:
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key=str(_LOCALTIME))
    except FileNotFoundError:
        return ZoneInfo("UTC")
