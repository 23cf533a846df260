"""How backups stand: what the host remembers of them, beside when they were due. No repository is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from gitops.fleet.crontab import next_time
from gitops.fleet.kinds import Kind
from gitops.report.history import Run
from gitops.report.newest import newest, oldest
from gitops.system.clock import stamp
from gitops.system.places import Places

if TYPE_CHECKING:
    from gitops.fleet.fleet import Instance

_GRACE = timedelta(hours=1)
"""What a run may begin late, besides the time that the one before took."""


@dataclass(frozen=True)
class Past:
    """What the history has of backups, each by instance.

    Args:
        good: the newest that went well.
        last: the newest, however it ended.
        first: the oldest.
        drill: the newest drill.
        proved: the newest drill that went well.
        care: the newest check and the newest prune of the repository.
    """

    good: Mapping[str, Run] = field(default_factory=dict)
    last: Mapping[str, Run] = field(default_factory=dict)
    first: Mapping[str, Run] = field(default_factory=dict)
    drill: Mapping[str, Run] = field(default_factory=dict)
    proved: Mapping[str, Run] = field(default_factory=dict)
    care: tuple[Run, ...] = ()


class BackedUp(NamedTuple):
    """An instance that has something to back up.

    Args:
        instance: its name.
        schedule: when it is backed up.
        drill: when that is proved; None: never.
    """

    instance: str
    schedule: str
    drill: str | None


@dataclass(frozen=True)
class BackupStanding:
    """How the backups of an instance stand; times are UTC's.

    Args:
        instance: its name.
        newest: when the newest good backup was begun; None: none is known.
        due: when another should have been there: in the past, where it is late; None where none is known.
        proved: when a drill last went well; None: never.
        notes: what somebody should look at, a line each.
        kinds: of what kind each note is; None: nobody hears of it but who looks.
        proof: when a drill was last tried, however it went; None: never.
    """

    instance: str
    newest: datetime | None
    due: datetime | None
    proved: datetime | None
    notes: tuple[str, ...] = ()
    kinds: tuple[Kind | None, ...] = ()
    proof: datetime | None = None


def past(places: Places) -> Past:
    """Read what the history has of backups; raises UserError when it cannot be read."""
    return Past(
        good=newest(places, "backup", good=True),
        last=newest(places, "backup"),
        first=oldest(places, "backup"),
        drill=newest(places, "drill"),
        proved=newest(places, "drill", good=True),
        care=tuple(run for kind in ("check", "prune") for run in newest(places, kind).values()),
    )


def backed_up(instances: "Iterable[Instance]") -> list[BackedUp]:
    """Give those of the instances that have anything to back up."""
    return [
        BackedUp(one.name, backup.schedule, backup.drill)
        for one in instances
        if (backup := one.definition.backup) and (backup.databases or backup.volumes)
    ]


def standings(
    instances: Iterable[BackedUp], past: Past, since: Mapping[str, datetime], now: datetime
) -> list[BackupStanding]:
    """Say how the backups of instances stand; pure, and those with notes come first.

    Args:
        instances: which.
        past: what the history has of them.
        since: from when on an instance is there to be backed up, UTC; one that is not in it should have been.
        now: the present time, UTC.
    """
    found = [_standing(one, past, since.get(one.instance), now) for one in instances]
    return sorted(found, key=lambda one: (not one.notes, one.instance))


def care_notes(past: Past) -> list[str]:
    """Say which care of the repository went wrong the last time."""
    return [
        f"the backup repository's {run.kind} failed at {stamp(run.started)}: {run.detail}"
        for run in past.care
        if run.status
    ]


def age(since: datetime, now: datetime) -> str:
    """Say how long ago something was: `5 h`, `3 days`."""
    hours = (now - since) / timedelta(hours=1)
    if hours < 1:
        return f"{max(0, int(hours * 60))} min"
    return f"{int(hours)} h" if hours < 48 else f"{int(hours // 24)} days"  # noqa: PLR2004  # two days


def _standing(backup: BackedUp, past: Past, since: datetime | None, now: datetime) -> BackupStanding:
    name = backup.instance
    good, last, drill = past.good.get(name), past.last.get(name), past.drill.get(name)
    due = _due(backup.schedule, good) if good else None
    first = next_time(backup.schedule, since) + _GRACE if since else now
    notes: list[tuple[Kind | None, str]] = []
    if good is None and first > now:
        when = f"the first is due by {stamp(first)}, or now: gitops backup run {name}"
        notes.append((None, f"{name} has no backup that this host knows of; {when}"))
    elif good is None:
        notes.append((Kind.BACKUP_LATE, f"{name} has no backup that this host knows of"))
    elif due and due < now:
        old = f"{name}'s newest backup is {age(good.started, now)} old; one was due by {stamp(due)}"
        notes.append((Kind.BACKUP_LATE, old))
    if last and last.status:
        failed = f"{name}'s last backup failed at {stamp(last.started)}: {last.detail}"
        notes.append((None, failed))  # its job tells whoever is to hear of it
    if drill and drill.status:
        failed = f"{name}'s last drill failed at {stamp(drill.started)}: {drill.detail}"
        notes.append((Kind.DRILL_FAILED, failed))
    begun = drill or past.first.get(name)
    if backup.drill and begun and _due(backup.drill, begun) < now:
        ever = f"not been tried since {stamp(drill.started)}" if drill else "never been tried"
        notes.append((Kind.DRILL_FAILED, f"{name}'s backups have {ever}, and a drill was due"))
    return BackupStanding(
        name,
        newest=good.started if good else None,
        due=due,
        proved=past.proved[name].started if name in past.proved else None,
        notes=tuple(note for _, note in notes),
        kinds=tuple(kind for kind, _ in notes),
        proof=drill.started if drill else None,
    )


def _due(schedule: str, before: Run) -> datetime:
    """Say when the run after another should be done, with some grace."""
    return next_time(schedule, before.started) + (before.ended - before.started) + _GRACE
