"""What `gitops status` shows of a view: problems, hosts, containers, backups, jobs, updates; as tables."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from gitops.cli.sizes import readable
from gitops.cli.table import Table
from gitops.system.clock import local, localised

if TYPE_CHECKING:
    from gitops.deploy.status import Row
    from gitops.jobs.standing import JobStanding
    from gitops.view.view import HostView, View

_UPDATES = 10  # packages that are named; `gitops update` has all of them


def overview(view: "View") -> list[Table]:
    """Give the tables, what needs somebody first."""
    return [table for table in _tables(view) if table.rows or table.title or table.note]


def _tables(view: "View") -> Iterator[Table]:
    runs = f"generation {view.generation[:12]}" if view.generation else "no generation yet"
    yield Table((), (), title=f"{view.fleet} on {view.host}: {runs}, {_counted(view)}")
    yield _problems(view)
    if view.others:
        rows = [_host(one, view.at) for one in view.hosts]
        yield Table(("host", "seen", "generation", "containers", "state"), rows, spare=("generation",))
    yield _containers(view)
    yield _backups(view)
    yield _jobs(view)
    yield _updates(view)


def _counted(view: "View") -> str:
    counts = {"instance": len(view.instances), "problem": len(view.problems)}
    return ", ".join(f"{count or 'no'} {word}{'' if count == 1 else 's'}" for word, count in counts.items())


def _ago(at: datetime | None, now: datetime, never: str = "never") -> str:
    from gitops.backup.standing import age

    return age(at, now) if at else never


def _problems(view: "View") -> Table:
    rows = [
        (
            one.subject,
            _ago(one.since, view.at, "-") if one.since and one.since < view.at else "-",
            localised(one.line),
        )
        for one in view.problems
    ]
    return Table(("problem with", "for", "what is the matter"), rows, spare=("for",), style="bold red")


def _host(one: "HostView", now: datetime) -> tuple[str, ...]:
    state = "silent" if one.silent else "problem" if one.problems else "ok" if one.source else "-"
    count = f"{state}, {len(one.problems)} of them" if len(one.problems) > 1 and not one.silent else state
    return (one.name, _ago(one.at, now), one.generation[:12] or "-", str(one.containers), count)


def _containers(view: "View") -> Table:
    if not view.rows:
        return Table((), (), note=f"{view.host}: nothing runs here")
    head: tuple[str, ...] = ("instance", "service", "state", "health", "image", "since")
    if used := any(row.usage for row in view.rows):
        head = (*head, "cpu", "memory", "processes")
    rows: list[tuple[str, ...]] = []
    for row in view.rows:
        outdated = "" if row.current or row.state == "missing" else " (outdated)"
        said = (row.instance, row.service, row.state, row.health or "-", f"{row.image}{outdated}")
        rows.append((*said, row.status, *(_use(row) if used else ())))
    spare = ("processes", "memory", "cpu") if used else ()
    return Table(head, rows, spare=(*spare, "since", "image", "state"))


def _use(row: "Row") -> tuple[str, str, str]:
    """Say what a container uses, and after a slash what it may."""
    use = row.usage
    if use is None:
        return "", "", ""
    cpu = "-" if row.cpu is None else f"{row.cpu:.0%}" + (f"/{row.cpus:.0%}" if row.cpus else "")
    return (
        cpu,
        readable(use.memory) + (f"/{readable(use.memory_limit)}" if use.memory_limit else ""),
        f"{use.processes}" + (f"/{use.processes_limit}" if use.processes_limit else ""),
    )


def _backups(view: "View") -> Table:
    """Say of each instance how old its newest backup is, and when one was last proved."""
    rows = [(one.instance, _ago(one.newest, view.at), _ago(one.proved, view.at)) for one in view.backups]
    return Table(("instance", "backup", "proved"), rows)


def _jobs(view: "View") -> Table:
    """Say of each job how it stands in all instances together; the problems name those not well."""
    alike: dict[str, list[JobStanding]] = {}
    for one in view.jobs:
        alike.setdefault(one.job, []).append(one)
    rows = []
    for name, jobs in sorted(alike.items()):
        newest = max((one.last.started for one in jobs if one.last), default=None)
        bad = sum(bool(one.notes) for one in jobs)
        state = f"{bad} of {len(jobs)} not well" if bad else "ok" if newest else "-"
        where = jobs[0].instance if len(jobs) == 1 else f"{len(jobs)} instances"
        rows.append((name, where, _ago(newest, view.at), local(min(one.next for one in jobs)), state))
    return Table(("job", "of", "newest", "next", "state"), rows, spare=("next", "of"))


def _updates(view: "View") -> Table:
    waiting = view.waiting
    if not waiting:
        known = f"no update waits; looked {_ago(view.looked, view.at)} ago" if view.looked else ""
        return Table((), (), note=known)
    security = sum(one.security for one in waiting)
    title = f"{len(waiting)} update{'s wait' if len(waiting) > 1 else ' waits'}" + (
        f", {security} for security" if security else ""
    )
    rows = [
        (one.package, one.old or "-", one.new or "-", one.urgency or "-", " ".join(one.cves) or "-")
        for one in waiting[:_UPDATES]
    ]
    more = f"and {len(waiting) - _UPDATES} more; " if len(waiting) > _UPDATES else ""
    note = f"{more}gitops update says what they change, looked {_ago(view.looked, view.at)} ago"
    head = ("package", "has", "waits", "urgency", "CVEs")
    return Table(head, rows, title=title, spare=("has", "urgency", "CVEs"), note=note)
