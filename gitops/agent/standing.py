"""How a host stands: its generation, what is in git's way, every container, its backups, its jobs."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops.agent.action import Held
from gitops.agent.doubts import doubts
from gitops.agent.generation import running
from gitops.agent.host import Wanted, look, want
from gitops.agent.pause import paused
from gitops.agent.plan import Engine, Plan, plan
from gitops.agent.rollback import rolled_back
from gitops.agent.status import Row, rows
from gitops.agent.ticked import last
from gitops.backup.standing import BackupStanding, care_notes, past, standings
from gitops.engine.docker import Docker
from gitops.engine.usage import Usage, usage
from gitops.jobs.standing import JobStanding
from gitops.jobs.standing import standing as job_standing
from gitops.report.notices import outbox
from gitops.system.clock import now
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

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look at it."""
        late = any(one.notes for one in self.backups) or any(one.notes for one in self.jobs)
        return not self.notes and not late and all(row.well for row in self.rows)


def standing(
    root: Path, host: str | None, engine: Docker, places: Places, earlier: dict[str, Usage] | None = None
) -> Standing:
    """Look at a host.

    Args:
        root: the fleet's directory, or a copy of it that a host keeps.
        host: its name; None: see `want`.
        engine: the host's engine.
        places: the host's directories.
        earlier: what containers used at the look before; tells how busy they were since.
    """
    return standing_of(want(root, host, places), engine, places, earlier)


def standing_of(
    wanted: Wanted,
    engine: Docker | None,
    places: Places,
    earlier: dict[str, Usage] | None = None,
    *,
    use: bool = True,
    at: datetime | None = None,
) -> Standing:
    """Look at a host whose definitions are read already; otherwise as `standing`.

    Without `use`, nobody asks what containers use, which is a question for each. Without an engine, which
    somebody found not to answer, no container is known. `at` is the present time.
    """
    at = at or now()
    seen = look(engine, wanted, places) if engine else Engine()
    steps = plan(wanted.desired, seen) if engine else Plan()
    used = usage([one.id for one in seen.containers if one.state == "running"]) if use else {}
    turn = last(places)
    notes = [str(rolled)] if (rolled := rolled_back(places)) else []
    notes += [until] if (until := paused(places)) else []
    notes += turn.notes if turn else ()
    notes += [] if engine else ["the container engine does not answer"]
    found = rows(wanted.desired, seen.containers, steps, used, earlier) if engine else []
    before = past(places)
    notes += doubts(places)
    notes += care_notes(before)
    backups = standings(wanted.fleet.instances(wanted.host).values(), before, at)
    notes += _untold(places)
    return Standing(
        wanted.host,
        running(places),
        tuple(notes),
        tuple(found),
        tuple(backups),
        used,
        tuple(job_standing(places, at)),
        steps.held,
        sum(1 for one in outbox(places) if one.left),
    )


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
