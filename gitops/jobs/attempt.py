"""One try of a job: begun, its output taken, ended when its time is up, and told truthfully how it went."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from gitops.engine.attached import runs_since
from gitops.engine.connection import AwayError
from gitops.jobs.container import MissedError, find
from gitops.jobs.definition import Definition
from gitops.jobs.output import JobLog
from gitops.jobs.work import Work, begin
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.marked import end

TIMED_OUT = 124
"""Exit status of a job that took too long, as timeout(1) has it."""

MISSED = 75
"""Exit status of one that could not begin: EX_TEMPFAIL of sysexits.h."""

_KILLED = 137
_STOPPING = 1.0
"""Seconds that a container may still be said to run after its processes were killed."""

_SETTLING = 30.0
"""Seconds in which the engine has to say that what was ended has ended, or what became of a container."""


class Attempt(NamedTuple):
    """How a try went.

    Args:
        outcome: `ok`, `failed`, `timeout` or `missed`.
        status: the command's exit status, or one that says what became of it.
        detail: one line for people.
        container: where it ran; empty on the host, and where it could not begin.
        generation: the commit that the container was made from; empty as above.
    """

    outcome: str
    status: int
    detail: str = ""
    container: str = ""
    generation: str = ""


class _NotBegunError(Exception):
    """The container was there when the engine listed it, and could not be used."""


def attempt(job: Definition, mark: str, log: JobLog, tell: Callable[[str, str], object]) -> Attempt:
    """Do a job once. Whatever ends this ends the job with all that it has started.

    Args:
        job: which.
        mark: tells its processes from all others.
        log: takes its output.
        tell: is given the container's id and the engine's name of the command, before that begins.
    """
    if job.of_host:
        try:
            return _watched(job, mark, log, "", tell)
        except _NotBegunError as error:
            return Attempt("failed", 127, str(error))
    deadline = time.monotonic() + job.patience
    while True:
        try:
            place = find(job, deadline - time.monotonic())
        except MissedError as missed:
            return Attempt("missed", MISSED, str(missed))
        tell(place.container, "")
        try:
            done = _watched(job, mark, log, place.container, tell)
            return done._replace(container=place.container, generation=place.generation)
        except _NotBegunError as error:
            if _runs(place.container):  # it is the job's own fault
                return Attempt("failed", 126, str(error), place.container, place.generation)
            if time.monotonic() >= deadline:
                return Attempt("missed", MISSED, str(error))
            time.sleep(0.2)


def _watched(
    job: Definition, mark: str, log: JobLog, container: str, tell: Callable[[str, str], object]
) -> Attempt:
    began, work, told = now(), None, False

    def begins(made: str) -> None:
        nonlocal told
        told = True
        tell(container, made)

    try:
        try:
            work = begin(job, mark, container, begins)
        except UserError as error:
            reason = error.problems[0].message
            if told and isinstance(error, AwayError):  # it may have begun, and must not run twice
                end(mark, job.grace)
                return Attempt("failed", 1, reason)
            raise _NotBegunError(reason) from error
        return _followed(job, mark, log, work, container, began)
    except _NotBegunError:
        raise
    except BaseException:  # we are told to end, and what the job says of that is kept, too
        if work:
            _ended(job, mark, log, work)
        else:
            end(mark, job.grace)
        raise
    finally:
        if work:
            work.close()


def _followed(
    job: Definition, mark: str, log: JobLog, work: Work, container: str, began: datetime
) -> Attempt:
    deadline = time.monotonic() + job.timeout
    try:
        while piece := work.read(deadline - time.monotonic()):
            log.write(piece)
        status = work.status(deadline - time.monotonic())
    except TimeoutError:
        left = _ended(job, mark, log, work)
        return Attempt("timeout", TIMED_OUT, f"took longer than {job.timeout:g} s{left}")
    except UserError as error:
        left = _ended(job, mark, log, work)
        reason = "its container went away" if _went_away(container, began) else error.problems[0].message
        return Attempt("failed", 1, f"{reason}{left}")
    if status and job.mode == "exec" and _went_away(container, began, _STOPPING if status == _KILLED else 0):
        return Attempt("failed", status, "its container went away")
    return Attempt("failed" if status else "ok", status)


def _ended(job: Definition, mark: str, log: JobLog, work: Work) -> str:
    """End a job with all that it has started, and take what it says last; give what is to be said of that."""
    gone = end(mark, job.grace, work.process())
    deadline = time.monotonic() + _SETTLING
    try:
        while piece := work.read(deadline - time.monotonic()):
            log.write(piece)
        work.status(deadline - time.monotonic())
    except TimeoutError:
        gone = False
    except UserError:  # the engine does not know it any more
        pass
    return "" if gone else ", and could not be ended"


def _went_away(container: str, began: datetime, patience: float = 0) -> bool:
    """Tell whether a container does not run any more as it did then; waits for an engine that is away.

    Args:
        container: its id; empty for a job of the host.
        began: a time at which it ran.
        patience: seconds in which one that still runs may turn out to be ending.
    """
    deadline, first = time.monotonic() + _SETTLING, time.monotonic()
    while container:
        try:
            since = runs_since(container)
        except AwayError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.2)
        else:
            if not since or since > began.strftime("%Y-%m-%dT%H:%M:%S.%f"):
                return True
            if time.monotonic() - first >= patience:
                return False
            time.sleep(0.1)
    return False


def _runs(container: str) -> bool:
    try:
        return bool(runs_since(container))
    except AwayError:
        return False
