"""What a host is watched for: that its jobs are run at all, and that people hear what went wrong.

`gitops notify` does it, and no agent needs to: a job that fails has it run as well.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from gitops.agent.doubts import doubts
from gitops.agent.generation import current
from gitops.jobs.definition import Definition, definitions
from gitops.jobs.standing import KIND, JobStanding, standing
from gitops.report.history import pasts
from gitops.report.metrics import write_metrics
from gitops.report.notices import due, outbox, outcome
from gitops.system.clock import stamp
from gitops.system.places import Places

_NAMED = 20


def watch(places: Places, at: datetime) -> list[str]:
    """Look whether jobs are run and git is followed, deliver what is to be told, and write the metrics.

    Args:
        places: the host's directories.
        at: the present time.

    Returns:
        What could not be told to whom, a line each.

    Raises:
        UserError: this host runs no fleet yet, or its history cannot be read.
    """
    current(places)
    found = list(definitions(places))
    jobs = standing(places, at, found)
    _tell_of_late(jobs, places)
    _tell_of_agent(places)
    _tell_of_images(places)
    problems = _deliver(places) if due(places, at) else []
    _measure(found, jobs, places, at)
    return problems


def _deliver(places: Places) -> list[str]:
    from gitops.agent.telling import tell_everyone  # noqa: PLC0415  # it takes its time, mostly for nothing

    return tell_everyone(places)


def _tell_of_late(jobs: Sequence[JobStanding], places: Places) -> None:
    """Tell once that jobs are not run any more, however many they are: mostly one thing is to blame."""
    late = [one for one in jobs if one.late]
    lines = [f"{one.subject} should have run at {stamp(one.late)}" for one in late if one.late][:_NAMED]
    more = [f"and {len(late) - _NAMED} more"] if len(late) > _NAMED else []
    hint = (
        ["Does the scheduler run? systemctl status cron, or systemctl list-timers 'gitops-*'."]
        if late
        else []
    )
    count = f"{len(late)} of {len(jobs)} jobs" if len(jobs) > 1 else "the job"
    topic, title = "the schedule", f"{count} should have run, and nothing has begun them"
    outcome(places, topic, title, not late, "\n".join([*lines, *more, *hint]))


def _tell_of_agent(places: Places) -> None:
    """Tell once that this host is not made what git says; that a server is away for a while is no news."""
    try:
        tick = json.loads((places.runtime / "tick.json").read_text())  # gitops.agent.tick
    except FileNotFoundError:
        return
    refused = [note for note in tick["notes"] if note.startswith("refused")]
    good = tick["state"] != "failed" and not refused
    if tick["state"] != "paused":
        words = "\n".join([*refused, tick["reason"]])
        outcome(places, "the agent", "this host is not what git says", good, words)


def _tell_of_images(places: Places) -> None:
    """Tell once that the registry has something else than was vouched for: somebody may have been there."""
    found = doubts(places)
    outcome(places, "the registry", "images in the registry were refused", not found, "\n".join(found))


def _measure(found: Sequence[Definition], jobs: Sequence[JobStanding], places: Places, at: datetime) -> None:
    """Write the metrics of what there still is: the history remembers what has gone, too."""
    here = {word for job in found for word in (job.instance, *job.argv)}  # a backup names its instances
    scheduled = {(KIND, one.instance, one.job) for one in jobs}
    late = {(KIND, one.instance, one.job) for one in jobs if one.late}
    known = {
        key: past
        for key, past in pasts(places).items()
        if (key in scheduled if key[0] == KIND else key[1] in here or not key[1])
    }
    write_metrics(places, known, scheduled, late, len(outbox(places)), at)
