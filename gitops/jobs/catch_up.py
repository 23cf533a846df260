"""Making up once for runs that were due while nothing ran them: the host was down, or its cron.

systemd's timers do that themselves (`Persistent=`); for cron a line of its manifest calls this every hour.
What is owed follows from the history: a job ran before, was due since, and has not been begun.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from gitops.jobs.calendar import runs
from gitops.jobs.definition import Definition, definitions
from gitops.jobs.run import run_claimed
from gitops.jobs.running import claim
from gitops.report.history import Past, pasts
from gitops.system.clock import now, stamp
from gitops.system.places import Places

_GRACE = timedelta(minutes=5)
"""Time in which what is due is left to cron."""


def catch_up(places: Places, tell: Callable[[str], object]) -> None:
    """Run what is owed, one after the other, so that a host that comes up is not run over.

    Args:
        places: the host's directories.
        tell: is given a line for each.

    Raises:
        UserError: the history cannot be read.
    """
    known = pasts(places)
    for job in definitions(places):
        if (
            job.catch_up == "once"
            and owed(job, known, now())
            and (mine := claim(places, job.instance, job.name))
        ):
            # Somebody may have run it since the history was read; nobody does any more.
            if missed := owed(job, pasts(places), now()):
                done = run_claimed(job, places, mine, remark=f"makes up for {stamp(missed)}")
                tell(f"{job.subject} was due at {stamp(missed)}: {done.outcome}")
            else:
                mine.release()


def owed(job: Definition, known: Mapping[tuple[str, str, str], Past], at: datetime) -> datetime | None:
    """Give when a job should have run since it was last begun, and was not; None where it is not so.

    Args:
        job: which.
        known: what became of everything, from the history.
        at: the present time.
    """
    past = known.get(("job", job.instance, job.name))
    if past is None:
        return None
    due = next(runs(job.schedule, job.timezone, job.spread, past.asked))
    return due if due + _GRACE < at else None
