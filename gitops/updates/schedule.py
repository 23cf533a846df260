"""Whether something may be proposed now."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gitops.fleet.crontab import crontab
from gitops.fleet.updates import Updates


def is_open(settings: Updates, at: datetime) -> bool:
    """Tell whether the schedule's minutes include this one; always where there is none.

    Clocks on the wall count: in the night on which they are put back, an hour is there twice.

    Args:
        settings: the fleet's; its schedule is crontab(5)'s five fields, in its time zone.
        at: a time with its zone.
    """
    if settings.schedule is None:
        return True
    return crontab(settings.schedule).includes(at.astimezone(ZoneInfo(settings.timezone)))
