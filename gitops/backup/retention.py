"""Which backup sets stay: the newest of each hour, day, week… for as many of these as `keep` says."""

from collections.abc import Callable, Iterable
from datetime import datetime

from gitops.backup.sets import BackupSet
from gitops.fleet.backups import Keep


def kept(sets: Iterable[BackupSet], keep: Keep) -> list[BackupSet]:
    """Choose the sets that stay, oldest first. Whatever `keep` says, the newest does. Periods are UTC's."""
    newest_first = sorted(sets, key=lambda one: one.time, reverse=True)
    chosen = set(newest_first[: max(1, keep.last)])
    for count, period in _periods(keep):
        newest: dict[str, BackupSet] = {}
        for one in newest_first:
            newest.setdefault(period(one.time), one)
        chosen.update(list(newest.values())[:count])
    return sorted(chosen, key=lambda one: one.time)


def _periods(keep: Keep) -> list[tuple[int, Callable[[datetime], str]]]:
    return [
        (keep.hourly, lambda time: f"{time:%Y-%m-%d %H}"),
        (keep.daily, lambda time: f"{time:%Y-%m-%d}"),
        (keep.weekly, lambda time: f"{time:%G-%V}"),
        (keep.monthly, lambda time: f"{time:%Y-%m}"),
        (keep.yearly, lambda time: f"{time:%Y}"),
    ]
