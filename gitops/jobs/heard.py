"""Who hears of how a job went: the first failure and the recovery are told, or every run, or none."""

from gitops.jobs.ended import JobRun
from gitops.report.recording import GOOD
from gitops.system.places import Places

TAIL = 4096
"""Bytes of the output's end that a notice may show."""


def hear(notify: str, run: JobRun, tail: bytes, places: Places) -> None:
    """Tell how a job went, if that is worth telling.

    Args:
        notify: `failure`, `always` or `never`, as the job says.
        run: how it went.
        tail: the end of its output.
        places: the host's directories.
    """
    good, topic = run.outcome in GOOD, f"job {run.instance}/{run.name}"
    always = notify == "always"
    if notify == "never" or (good and not always and not _failing(places, topic)):
        return
    from gitops.report.notices import outcome, send  # noqa: PLC0415  # most runs are no news

    status = f"exit status {run.status}" if run.outcome == "failed" and not run.detail else run.detail
    words = f"{run.outcome} after {run.seconds:.1f} s{f': {status}' if status else ''}"
    if outcome(places, topic, f"{topic} {run.outcome}", good, words, tail, always=always, kind="job-failing"):
        send(places)


def _failing(places: Places, topic: str) -> bool:
    """Tell whether a failure was told of; asked before anything is loaded, since most runs are no news."""
    return (places.state / "failing" / topic.replace("/", ":")).exists()
