"""How a host stands: its generation, what is in git's way, every container, its backups, its jobs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops.agent.doubts import doubts
from gitops.agent.generation import running
from gitops.agent.pause import paused
from gitops.agent.rollback import rolled_back
from gitops.agent.ticked import last
from gitops.backup.standing import BackedUp, BackupStanding, care_notes, past, standings
from gitops.deploy.action import Held
from gitops.deploy.status import Row
from gitops.engine.observed import Observed
from gitops.engine.usage import Usage
from gitops.jobs.standing import JobStanding
from gitops.jobs.standing import standing as job_standing
from gitops.report.notices import outbox
from gitops.system.places import Places


@dataclass(frozen=True)
class Standing:
    """A host.

    Args:
        host: its name.
        generation: the commit that it runs; empty where it runs none yet.
        notes: what somebody should know: rolled back, paused, a commit that was refused.
        rows: its containers, problems first.
        backups: how the backups of its instances stand, problems first.
        used: what containers use, by id, for the next look.
        jobs: how its jobs stand.
        held: the instances that are not what git says, because a roll-out of them failed.
        untold: how many notices could not be delivered yet.
        settled: the host's containers, where all are well and there is nothing to do; None where not.
    """

    host: str
    generation: str
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    backups: tuple[BackupStanding, ...]
    used: dict[str, Usage]
    jobs: tuple[JobStanding, ...] = ()
    held: tuple[Held, ...] = ()
    untold: int = 0
    settled: tuple[Observed, ...] | None = None

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look at it."""
        late = any(one.notes for one in self.backups) or any(one.notes for one in self.jobs)
        return not self.notes and not late and all(row.well for row in self.rows)


def stands(
    host: str,
    rows: Sequence[Row],
    backed_up: Iterable[BackedUp],
    places: Places,
    at: datetime,
    *,
    answers: bool = True,
) -> Standing:
    """Put what this machine's files say of a host beside its containers.

    Args:
        host: its name.
        rows: its containers, problems first.
        backed_up: the instances that have backups.
        places: the host's directories.
        at: the present time.
        answers: whether the container engine does.
    """
    turn = last(places)
    notes = [str(rolled)] if (rolled := rolled_back(places)) else []
    notes += [until] if (until := paused(places)) else []
    notes += turn.notes if turn else ()
    notes += [] if answers else ["the container engine does not answer"]
    before = past(places)
    notes += doubts(places)
    notes += care_notes(before)
    backups = standings(backed_up, before, _made(rows), at)
    notes += _untold(places)
    return Standing(
        host,
        running(places),
        tuple(notes),
        tuple(rows),
        tuple(backups),
        {},
        tuple(job_standing(places, at)),
        untold=sum(1 for one in outbox(places) if one.left),
    )


def _made(rows: Iterable[Row]) -> dict[str, datetime]:
    """Tell since when there are instances: when the oldest container of each was made."""
    found: dict[str, datetime] = {}
    for row in rows:
        if row.created:
            found[row.instance] = min(row.created, found.get(row.instance, row.created))
    return found


def _untold(places: Places) -> list[str]:
    """Say whom notices could not be delivered to, and why."""
    waiting: dict[tuple[str, str], int] = {}
    for one in outbox(places):
        if one.left:
            key = (", ".join(one.left), one.why)
            waiting[key] = waiting.get(key, 0) + 1
    return [
        f"{f'{count} notices wait' if count > 1 else '1 notice waits'} for {who}: {why}"
        for (who, why), count in waiting.items()
    ]
