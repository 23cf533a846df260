"""Schedules, as crontab(5) has them, and the time zones they are meant in."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from gitops.fleet.crontab import crontab
from gitops.fleet.values import Line


def _schedule(value: str) -> str:
    crontab(value)
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not a time zone; write one as Europe/Berlin or UTC") from error
    return value


Schedule = Annotated[Line, AfterValidator(_schedule)]
"""Five fields or a nickname, as in crontab(5)."""

Timezone = Annotated[Line, AfterValidator(_timezone)]
"""A name of the tz database, for example Europe/Berlin."""
