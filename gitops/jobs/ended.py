"""A run of a job that has ended: how, for the history and for people.

Of all that a job's start loads, dataclasses would be the most expensive; hence named tuples here and there.
"""

from datetime import datetime
from typing import NamedTuple

from gitops.report.recording import record_run
from gitops.system.places import Places


class JobRun(NamedTuple):
    """How a job went; the fields are those of gitops.report.history.Run.

    Args:
        instance: whose job.
        name: its name.
        started: when, with a zone.
        ended: when, with a zone.
        status: its exit status: the command's own; 124 it took too long, 75 it could not begin, 0 it was
            skipped, 137 or 143 it was ended before it was done.
        outcome: one of gitops.report.recording.OUTCOMES.
        detail: one line for people.
        container: where it ran.
        generation: the commit whose definition it followed.
        tries: how often it was begun.
        log: the file with its output, as from the host's state directory; empty where it said nothing.
    """

    instance: str
    name: str
    started: datetime
    ended: datetime
    status: int
    outcome: str
    detail: str = ""
    container: str = ""
    generation: str = ""
    tries: int = 1
    log: str = ""

    @property
    def seconds(self) -> float:
        """Give how long it took, in seconds."""
        return (self.ended - self.started).total_seconds()

    def record(self, places: Places) -> "JobRun":
        """Put it into the history; give it again."""
        record_run(places, {"kind": "job", **self._asdict()})
        return self
