"""Jobs and runs as JSON has them; times are RFC 3339 in UTC, how long something took is in seconds."""

from typing import Any

from gitops.jobs.standing import JobStanding
from gitops.report.history import Run
from gitops.system.clock import stamp


def plain_job(one: JobStanding) -> dict[str, Any]:
    """Give how a job stands."""
    return {
        "instance": one.instance,
        "job": one.job,
        "schedule": one.schedule,
        "timezone": one.timezone,
        "next": stamp(one.next),
        "last": plain_run(one.last) if one.last else None,
        "last_success": stamp(one.good) if one.good else None,
        "late": stamp(one.late) if one.late else None,
    }


def plain_run(run: Run) -> dict[str, Any]:
    """Give a run."""
    times = {"started": stamp(run.started), "ended": stamp(run.ended), "seconds": round(run.seconds, 3)}
    said = {key: value for key, value in vars(run).items() if key not in {"kind", "name", "started", "ended"}}
    return {"job": run.name, **said, **times, "log": run.log or None}
