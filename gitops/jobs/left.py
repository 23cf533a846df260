"""What a runner that was killed has left: its job is ended, and the history tells it."""

from collections.abc import Callable
from datetime import datetime

from gitops.engine.attached import remove_container
from gitops.jobs.ended import JobRun
from gitops.jobs.heard import hear
from gitops.jobs.running import Note, claim, notes
from gitops.jobs.work import process_of
from gitops.system.clock import now
from gitops.system.marked import end
from gitops.system.places import Places

KILLED = 137
"""Exit status in the history of a run whose runner was killed."""


def end_left(places: Places, tell: Callable[[str], object] = lambda _: None) -> None:
    """End and record all jobs whose runners were killed.

    Args:
        places: where runners note what they begin.
        tell: is given a line for each.

    Raises:
        UserError: the engine is away or refuses; the next time it is tried again.
    """
    for note, lives in notes(places):
        if not lives and (mine := claim(places, note.instance, note.job)):
            if mine.left:
                hear(mine.left.notify, bury(mine.left, places), b"", places)
                tell(f"ended the job {note.instance}/{note.job}, whose runner was killed")
            mine.release()


def bury(note: Note, places: Places) -> JobRun:
    """End what a note says was begun, and record how that came about; for who has claimed the job."""
    gone = end(note.mark, note.grace, process_of(note.command))
    if note.own:
        remove_container(note.own)
    more = "" if gone else "; the job could not be ended"
    return JobRun(
        note.instance,
        note.job,
        datetime.fromisoformat(note.began),
        now(),
        KILLED,
        "killed",
        f"the gitops that watched over it was killed{more}",
        note.container,
        note.generation,
        note.tries,
        note.log if (places.state / note.log).is_file() else "",
    ).record(places)
