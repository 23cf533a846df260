"""What a runner that was killed has left: its job is ended, and the history tells it."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from gitops.engine.attached import exec_begun, exec_status, remove_container
from gitops.engine.connection import AwayError
from gitops.jobs.ended import JobRun
from gitops.jobs.heard import hear
from gitops.jobs.running import Note, claim, notes
from gitops.jobs.work import process_of
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.marked import end
from gitops.system.places import Places

KILLED = 137
"""Exit status in the history of a run whose runner was killed."""

_FLIGHT = 2.0
"""Seconds in which the engine does what it was told an instant before the runner was killed."""

_ENDING = 30.0
_PAUSE = 0.1


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
            try:
                buried = bury(mine.left, places) if mine.left else None
            except BaseException:
                mine.give_up()
                raise
            mine.release()
            if buried:
                hear(note.notify, buried, b"", places)
                tell(f"ended the job {note.instance}/{note.job}, whose runner was killed")


def bury(note: Note, places: Places) -> JobRun:
    """End what a note says was begun, and record how that came about; for who has claimed the job.

    Raises:
        UserError: the engine is away.
    """
    fate = _fate(note)
    gone = _ended(note)
    more = "" if gone else "; the job could not be ended"
    return JobRun(
        note.instance,
        note.job,
        datetime.fromisoformat(note.began),
        now(),
        KILLED,
        "killed",
        f"the gitops that watched over it was killed{fate}{more}",
        note.container,
        note.generation,
        note.tries,
        note.log if (places.state / note.log).is_file() else "",
    ).record(places)


def _fate(note: Note) -> str:
    """Say how a job ended that had done so before anybody looked."""
    if note.command:
        with suppress(TimeoutError, UserError):
            return f"; the job had ended by itself with exit status {exec_status(note.command, 0)}"
    return ""


def _ended(note: Note) -> bool:
    """End what a note says was begun, or was just about to; tell whether nothing of it is left."""
    gone = end(note.mark, note.grace, process_of(note.command))
    first = time.monotonic()
    while note.own and note.container:
        remove_container(note.own)
        if time.monotonic() - first > _FLIGHT:
            return gone
        time.sleep(_PAUSE)
    while note.command:
        try:
            runs = exec_begun(note.command)
        except AwayError:
            raise
        except UserError:  # its container is gone
            break
        waited = time.monotonic() - first
        if runs is False or (runs is None and waited > _FLIGHT):
            break
        if waited > _ENDING:
            return False
        time.sleep(_PAUSE)
        gone = end(note.mark, note.grace, process_of(note.command))
    return gone
