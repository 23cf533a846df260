"""How each job stands: when it runs next, how it went last, and whether it is being run at all."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from gitops.jobs.calendar import runs, zone_of
from gitops.jobs.definition import Definition, definitions
from gitops.jobs.running import notes
from gitops.report.history import GOOD, Past, Run, pasts
from gitops.system.clock import stamp
from gitops.system.places import Places

KIND = "job"
"""What the history calls the runs of jobs."""

_GRACE = timedelta(minutes=10)
_LONGEST = timedelta(hours=1)
_DISPUTED = timedelta(hours=3)


@dataclass(frozen=True)
class JobStanding:
    """How a job of an instance stands; times are UTC's.

    Args:
        instance: whose it is.
        job: its name.
        schedule: five fields, before they are moved by its part of `spread`.
        timezone: the zone that they are meant in; None: the host's.
        next: when it runs next.
        last: how it went last; None: it never ran.
        good: when it last ended well; None: never, as far as the history goes back.
        late: when it should have run and did not; None where that is not so.
    """

    instance: str
    job: str
    schedule: str
    timezone: str | None
    next: datetime
    last: Run | None
    good: datetime | None
    late: datetime | None

    @property
    def subject(self) -> str:
        """Give the name that people use: INSTANCE/JOB."""
        return f"{self.instance}/{self.job}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what somebody should look at, a line each."""
        found = []
        if self.late:
            found.append(f"{self.subject} should have run at {stamp(self.late)}, and nothing has begun it")
        if self.last and self.last.outcome not in GOOD:
            ever = f"last went well at {stamp(self.good)}" if self.good else "never went well"
            went = f"{self.subject} {how(self.last)} at {stamp(self.last.started)}; it {ever}"
            found.append(f"{went}; gitops job log {self.instance} {self.job}")
        return tuple(found)


def how(run: Run) -> str:
    """Say how a run went: `failed with exit status 3: no space`."""
    words = {"ok": "went well", "timeout": "took too long", "missed": "was missed", "killed": "was killed"}
    said = words.get(run.outcome) or run.outcome
    status = f" with exit status {run.status}" if run.outcome == "failed" else ""
    return f"{said}{status}{f': {run.detail}' if run.detail else ''}"


def job_standings(
    jobs: Iterable[Definition],
    pasts: Mapping[tuple[str, str, str], Past],
    since: Callable[[Definition], datetime | None],
    running: Collection[tuple[str, str]],
    at: datetime,
) -> list[JobStanding]:
    """Say how jobs stand, in their order.

    Args:
        jobs: which.
        pasts: what became of everything, from the history.
        since: from when on a job must have been run; None: that is not known, and it is never late.
        running: (instance, job) of those that run just now, so that the history does not have it yet.
        at: the present time.
    """
    found = []
    for job in jobs:
        past = pasts.get((KIND, job.instance, job.name))
        late = _late(job, past, since(job), at)
        found.append(
            JobStanding(
                job.instance,
                job.name,
                job.schedule,
                job.timezone,
                next=next(runs(job.schedule, job.timezone, job.spread, at)),
                last=past.last if past else None,
                good=past.good if past else None,
                late=None if (job.instance, job.name) in running else late,
            )
        )
    return found


def standing(places: Places, at: datetime, jobs: Iterable[Definition] | None = None) -> list[JobStanding]:
    """Say how the jobs of this host stand.

    Args:
        places: the host's directories.
        at: the present time.
        jobs: which; None: those of the generation that it runs, by instance and name.

    Raises:
        UserError: the history cannot be read.
    """
    running = {(note.instance, note.job) for note, lives in notes(places) if lives}
    found = definitions(places) if jobs is None else jobs
    return job_standings(found, pasts(places), installed(places), running, at)


def installed(places: Places) -> Callable[[Definition], datetime | None]:
    """Give, for jobs, since when their scheduler knows them and this machine is up; None: it does not."""
    booted = _booted()
    times: dict[Path, datetime | None] = {}

    def since(job: Definition) -> datetime | None:
        timer = f"gitops-{job.instance.replace('@', '_')}.{job.name}.timer"
        paths = (places.cron / f"gitops-{job.fleet}", places.systemd / timer)
        times.update({path: _changed(path) for path in paths if path not in times})
        known = [one for path in paths if (one := times[path])]
        return max(*known, booted) if known else None

    return since


def _late(job: Definition, past: Past | None, since: datetime | None, at: datetime) -> datetime | None:
    """Give when a job should have run since it last did, once that is longer ago than cron could explain."""
    if since is None:
        return None
    # What was due while it ran was nobody's fault; systemd begins nothing then that could say so.
    known = max(since, past.asked, past.last.ended) if past else since
    begin = _undisputed(zone_of(job.timezone), known, at)
    times = runs(job.schedule, job.timezone, job.spread, begin)
    due = next(times)
    return due if due + min(next(times) - due, _LONGEST) + _GRACE < at else None


def _undisputed(zone: tzinfo, since: datetime, at: datetime) -> datetime:
    """Give when schedules are beyond dispute: some hours after a clock was put (docs/jobs.md has why)."""
    offset = at.astimezone(zone).utcoffset()
    if since.astimezone(zone).utcoffset() == offset:
        return since
    before, after = since, at
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return max(since, after + _DISPUTED)


def _booted() -> datetime:
    """Say when this machine was started (proc(5), /proc/stat): what was due before is nobody's fault."""
    lines = Path("/proc/stat").read_text().splitlines()
    seconds = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    return datetime.fromtimestamp(seconds, UTC)


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
