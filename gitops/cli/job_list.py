"""`gitops job list`: how every job of this host stands."""

from typing import TYPE_CHECKING

from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from datetime import datetime

    from gitops.jobs.standing import JobStanding


def list_jobs(fleet: FleetOption = None, host: HostOption = None, *, as_json: JsonOption = False) -> None:
    """List the jobs that this host's scheduler runs, and its own: when next, and how each went last."""
    from gitops.cli.deployed import deployed
    from gitops.cli.document import emit
    from gitops.cli.table import show
    from gitops.jobs.document import plain_job
    from gitops.jobs.scheduled import scheduled
    from gitops.jobs.standing import standing
    from gitops.system.clock import now
    from gitops.system.places import places

    at = now()
    found = standing(places(), at, scheduled(*deployed(fleet, host)) if fleet or host else None)
    if as_json:
        emit(jobs=[plain_job(one) for one in found])
        return
    if not found:
        print("this host has no jobs")
        return
    head = ("instance", "job", "schedule", "next", "last", "took", "well", "outcome")
    show(head, [_row(one, at) for one in found], spare=("took", "schedule", "last", "next"))


def _row(one: "JobStanding", at: "datetime") -> tuple[str, ...]:
    from gitops.backup.standing import age
    from gitops.jobs.standing import how
    from gitops.system.clock import local

    schedule = f"{one.schedule} {one.timezone}" if one.timezone else one.schedule
    last = (local(one.last.started), f"{one.last.seconds:.1f} s") if one.last else ("never", "-")
    went = how(one.last) if one.last else "-"
    late = f"late since {local(one.late)}; " if one.late else ""
    well = f"{age(one.good, at)} ago" if one.good else "never"
    return (one.instance, one.job, schedule, local(one.next), *last, well, f"{late}{went}")
