"""Which backup sets stay: the newest of each hour, day, week… for as many of these as `keep` says."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from gitops.backup.answers import Snapshot
from gitops.backup.sets import BackupSet, newest_first

if TYPE_CHECKING:
    from gitops.fleet.backups import Keep

SAFETY = 3
"""How many safety sets of an instance stay."""


def kept(sets: Iterable[BackupSet], keep: "Keep") -> list[BackupSet]:
    """Choose the sets of one instance that stay, oldest first. Periods are UTC's.

    Whatever `keep` says, the newest complete one does, however old it is. A failed one stays until a complete
    one is newer, so that people see it. Safety sets neither count nor are counted: the newest three stay.
    """
    everything = newest_first(sets)
    backups = [one for one in everything if one.complete and not one.safety]
    chosen = {one.time for one in backups[: max(1, keep.last)]}
    for count, period in _periods(keep):
        newest: dict[str, datetime] = {}
        for one in backups:
            newest.setdefault(period(one.time), one.time)
        chosen.update(list(newest.values())[:count])
    safety = [one for one in everything if one.complete and one.safety][:SAFETY]
    return [
        one
        for one in reversed(everything)
        if one in safety
        or (one.complete and not one.safety and one.time in chosen)
        or (not one.complete and not one.safety and (not backups or one.time > backups[0].time))
    ]


def stale(
    snapshots: Iterable[Snapshot], sets: Iterable[BackupSet], keep: "Callable[[str], Keep]"
) -> tuple[list[str], list[str]]:
    """Say which snapshots need not stay: those of runs of which no instance keeps its set.

    Manifests come apart, since they are to be forgotten first: an interruption then leaves parts without a
    manifest, which nobody takes for a backup, and never the reverse. What gitops did not save stays, and so
    does a run whose manifest cannot be read.

    Args:
        snapshots: the host's, of one fleet, all of them.
        sets: all that their manifests say.
        keep: says of an instance which of its sets stay.

    Returns:
        Ids of manifests, and of parts.
    """
    instances: dict[str, list[BackupSet]] = {}
    known = set()
    for one in sets:
        instances.setdefault(one.instance, []).append(one)
        known.add(one.run)
    stay = {one.run for name, own in instances.items() for one in kept(own, keep(name))}
    there = [one for one in snapshots if one.tag("run") and "gitops" in one.tags]
    unreadable = {one.tag("run") for one in there if "set" in one.tags} - known
    going = [one for one in there if one.tag("run") not in stay | unreadable]
    return (
        [one.id for one in going if "set" in one.tags],
        [one.id for one in going if "set" not in one.tags],
    )


def _periods(keep: "Keep") -> list[tuple[int, Callable[[datetime], str]]]:
    return [
        (keep.hourly, lambda time: f"{time:%Y-%m-%d %H}"),
        (keep.daily, lambda time: f"{time:%Y-%m-%d}"),
        (keep.weekly, lambda time: f"{time:%G-%V}"),
        (keep.monthly, lambda time: f"{time:%Y-%m}"),
        (keep.yearly, lambda time: f"{time:%Y}"),
    ]
