"""What tables of pages show, row by row: values that are right already; templates only lay them out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from gitops.backup.standing import BackupStanding
from gitops.fleet.kinds import Kind
from gitops.jobs.standing import JobStanding, how
from gitops.report.history import GOOD, Run
from gitops.system.clock import stamp
from gitops.view.charts import took
from gitops.view.times import timed, when
from gitops.view.view import InstanceView, Problem, View


@dataclass(frozen=True)
class Linked:
    """A problem, and the page that has more of it; empty: there is none."""

    subject: str
    text: Markup
    target: str


@dataclass(frozen=True)
class InstanceRow:
    """An instance in the overview; `mark` is how its health is to look."""

    name: str
    page: str
    app: str
    health: str
    mark: str
    backup: str | Markup
    proved: str | Markup
    jobs: str | Markup
    updates: str


@dataclass(frozen=True)
class JobRow:
    """A job; `number` is its newest run's in the history."""

    instance: str
    job: str
    subject: str
    page: str
    schedule: str
    last: Run | None
    number: int
    took: str
    how: str
    bad: bool
    next: datetime


@dataclass(frozen=True)
class BackupRow:
    """How an instance's backups stand; `mark` is how its last drill is to look."""

    instance: str
    page: str
    newest: str | Markup
    late: bool
    due: str | Markup
    drill: str | Markup
    mark: str
    proved: str | Markup
    chart: Markup


@dataclass(frozen=True)
class RunRow:
    """A run."""

    what: str
    started: datetime
    took: str
    good: bool
    how: str


def _time(at: datetime | None, never: str) -> str | Markup:
    """Write a time, or what there is instead of it."""
    return when(at) if at else never


def linked(problem: Problem, instances: Collection[str]) -> Linked:
    """Give a problem with the page that has more of it."""
    name = problem.subject.partition(" ")[2].partition("/")[0]
    if problem.subject.startswith("host "):
        return Linked(problem.subject, timed(problem.line), f"hosts/{name}.html" if instances else "")
    return Linked(problem.subject, timed(problem.line), f"instances/{name}.html" if name in instances else "")


def instance_row(one: InstanceView, view: View) -> InstanceRow:
    """Give an instance's row of the overview."""
    failing = sum(bool(job.notes) for job in one.jobs)
    well = f"{len(one.jobs)} well" if one.jobs else "—"
    waiting = {each for image in view.images if image.name in one.images for each in image.waiting}
    return InstanceRow(
        one.name,
        f"instances/{one.name}.html",
        one.app,
        one.state,
        "good" if all(row.well for row in one.rows) and one.rows else "bad",
        _time(one.backup.newest, "none") if one.backup else "—",
        _time(one.backup.proved, "never") if one.backup else "—",
        Markup('<span class="bad">{} of {} unwell</span>').format(failing, len(one.jobs))
        if failing
        else well,
        f"{len(waiting) or '—'}",
    )


def job_row(one: JobStanding, instances: Collection[str]) -> JobRow:
    """Give a job's row."""
    late = f"late since {stamp(one.late)}; " if one.late else ""
    return JobRow(
        one.instance,
        one.job,
        one.subject,
        f"instances/{one.instance}.html" if one.instance in instances else "",
        f"{one.schedule} {one.timezone}" if one.timezone else one.schedule,
        one.last,
        one.last.number if one.last else 0,
        took(one.last.seconds) if one.last else "—",
        late + (how(one.last) if one.last else "has not run"),
        bool(one.notes),
        one.next,
    )


def backup_row(one: BackupStanding, chart: Markup) -> BackupRow:
    """Give the row of an instance's backups."""
    failed = Kind.DRILL_FAILED in one.kinds
    return BackupRow(
        one.instance,
        f"instances/{one.instance}.html",
        _time(one.newest, "none"),
        Kind.BACKUP_LATE in one.kinds or None in one.kinds,
        _time(one.due, "—"),
        (Markup("failed ") + _time(one.proof, "")) if failed and one.proof else _time(one.proof, "never"),
        "bad" if failed else "good" if one.proof else "",
        _time(one.proved, "never"),
        chart,
    )


def run_row(one: Run) -> RunRow:
    """Give a run's row."""
    what = f"{one.kind} {one.name}".strip()
    return RunRow(what, one.started, took(one.seconds), one.outcome in GOOD, how(one))


def summary(view: View) -> dict[str, Any]:
    """Say how all of it stands: a headline, counts, and what the agent did last."""
    count = len(view.problems)
    headline = (
        "All is well" if not count else "1 thing to look at" if count == 1 else f"{count:,} things to look at"
    )
    security = sum(one.security for one in view.waiting)
    waits = ("update waits" if len(view.waiting) == 1 else "updates wait") + (
        f", {security} for security" if security else ""
    )
    counts = [
        (f"{len(view.instances):,}", "instance" if len(view.instances) == 1 else "instances"),
        (f"{len(view.hosts):,}", "host" if len(view.hosts) == 1 else "hosts"),
        (f"{len(view.jobs):,}", "job" if len(view.jobs) == 1 else "jobs"),
        (f"{len(view.waiting):,}", waits if view.looked else "updates known; none was looked for from here"),
    ]
    tick = view.tick
    if tick is None:
        agent = "Its agent has not ticked since it was started."
    else:
        why = f", {tick.reason.splitlines()[0]}" if tick.reason else ""
        agent = f"Its agent's last tick, {tick.time}: {tick.state}{why}."
    return {"headline": headline, "counts": counts, "agent": agent}
