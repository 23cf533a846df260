"""What a host is watched for: that its jobs are run at all, and that people hear what went wrong.

`gitops notify` does it, and no agent needs to: a job that fails has it run as well.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from gitops.agent.generation import current
from gitops.agent.tick import last
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.jobs.standing import KIND, JobStanding, standing
from gitops.report.history import pasts
from gitops.report.metrics import write_metrics
from gitops.report.notices import due, outbox, outcome
from gitops.secrets.age import decrypt
from gitops.secrets.hiding import hide
from gitops.secrets.hosts import secret_path
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
    generation = current(places)
    fleet = load(generation.path)
    jobs = standing(places, at)
    _tell_of_late(jobs, places)
    _tell_of_agent(places)
    problems = _deliver(fleet, places) if due(places, at) else []
    _measure(fleet, generation.host, jobs, places, at)
    return problems


def _deliver(fleet: Fleet, places: Places) -> list[str]:
    from gitops.report.delivery import deliver  # noqa: PLC0415  # Apprise takes its time, mostly for nothing

    return deliver(places, _receivers(fleet, places), lambda text: hide(text, places.runtime / "secrets"))


def _receivers(fleet: Fleet, places: Places) -> dict[str, Callable[[], str]]:
    """Give what decrypts the URL of each receiver of notifications, by the secret's name."""
    identity = places.config / "age.key"
    return {
        name: partial(_url, secret_path(fleet.root, name), identity)
        for name in fleet.settings.notifications.to
    }


def _url(path: Path, identity: Path) -> str:
    return decrypt(path, identity).decode(errors="replace")


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
    tick = last(places)
    if tick is None or tick.state == "paused":
        return
    refused = [note for note in tick.notes if note.startswith("refused")]
    good = tick.state != "failed" and not refused
    words = "\n".join([*refused, tick.reason])
    outcome(places, "the agent", "this host is not what git says", good, words)


def _measure(fleet: Fleet, host: str, jobs: Sequence[JobStanding], places: Places, at: datetime) -> None:
    """Write the metrics of what there still is: the history remembers what has gone, too."""
    here = fleet.instances(host).keys()
    scheduled = {(KIND, one.instance, one.job) for one in jobs}
    late = {(KIND, one.instance, one.job) for one in jobs if one.late}
    found = {
        key: past
        for key, past in pasts(places).items()
        if (key in scheduled if key[0] == KIND else key[1] in here or not key[1])
    }
    write_metrics(places, found, scheduled, late, len(outbox(places)), at)
