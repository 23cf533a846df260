"""Run a job as its schedule would: one at a time, tried as often as it may be, and recorded as it went."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from gitops.jobs.attempt import MISSED, Attempt, attempt
from gitops.jobs.definition import Definition
from gitops.jobs.ended import JobRun
from gitops.jobs.heard import TAIL, hear
from gitops.jobs.left import bury
from gitops.jobs.output import JobLog, log_directory
from gitops.jobs.running import Claim, Note, claim, note_of
from gitops.jobs.work import own_container
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import BusyError, exclusive
from gitops.system.marked import process, started
from gitops.system.places import Places

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PAUSE = 2.0
_GROWTH = 3
_LOOK = 0.1
_LATE = 60.0
"""Seconds that a runner which was told to end has for that, besides its job's grace."""


class ToldToEndError(BaseException):
    """A signal said that this is to end; its number is the argument."""

    def described(self) -> tuple[int, str]:
        """Give the number, and the signal in words."""
        (number,) = self.args
        return number, f"was told to end ({signal.Signals(number).name})"


def run_job(job: Definition, places: Places, *, show: Callable[[bytes], object] | None = None) -> JobRun:
    """Run a job of this host and wait for its end.

    SIGTERM, SIGINT and SIGHUP end the job, which is then recorded as killed.

    Args:
        job: which.
        places: where logs, history and locks are.
        show: is given the output as it comes, besides the log.

    Raises:
        UserError: the right to run it cannot be claimed, since nothing can be written there.
    """
    began = now()
    with _ending():
        try:
            mine = _claimed(job, places)
        except ToldToEndError as told:
            number, reason = told.described()
            return JobRun(
                job.instance, job.name, began, now(), 128 + number, "killed", f"{reason} while it waited"
            ).record(places)
    if mine is None:
        why = "the one before still runs"
        return JobRun(job.instance, job.name, began, began, 0, "skipped", why).record(places)
    return run_claimed(job, places, mine, show=show)


def run_claimed(
    job: Definition,
    places: Places,
    mine: Claim,
    *,
    show: Callable[[bytes], object] | None = None,
    remark: str = "",
) -> JobRun:
    """Run a job for which the right to do so was claimed, and give that back; otherwise as `run_job`.

    Args:
        job: which.
        places: where logs, history and locks are.
        mine: the claim.
        show: is given the output as it comes.
        remark: what is to be said of this run besides.
    """
    with _ending():
        try:
            buried = bury(mine.left, places) if mine.left else None
        except BaseException as error:
            mine.give_up()
            if not isinstance(error, UserError):
                raise
            why = f"what the one before has left could not be ended: {error.problems[0].message}"
            began = now()
            return JobRun(job.instance, job.name, began, began, MISSED, "missed", why).record(places)
        try:
            runner = _Runner(job, places, mine, show, remark)
            run = runner.run()
        finally:
            mine.release()
    if buried:
        hear(job.notify, buried, b"", places)
    hear(job.notify, run, runner.tail, places)
    return run


class _Runner:
    """One run, from its first try to its record."""

    def __init__(
        self,
        job: Definition,
        places: Places,
        mine: Claim,
        show: Callable[[bytes], object] | None,
        remark: str,
    ) -> None:
        self.remark = remark
        self.job, self.places, self.mine = job, places, mine
        self.began = now()
        path = log_directory(places, job.instance, job.name) / f"{self.began:%Y-%m-%dT%H:%M:%S.%fZ}.log"
        self.log = JobLog(path, show)
        self.tail = b""
        mark = os.urandom(8).hex()
        self.note = Note(
            job.instance,
            job.name,
            mark,
            self.began.isoformat(),
            os.getpid(),
            started(os.getpid()),
            job.grace,
            job.generation,
            own=own_container(job, mark),
            log=str(path.relative_to(places.state)),
            notify=job.notify,
        )
        mine.say(self.note)

    def run(self) -> JobRun:
        """Try it as often as it may be tried, and record how it went."""
        try:
            done = self._tried()
        except ToldToEndError as told:
            number, reason = told.described()
            done = Attempt("killed", 128 + number, reason, self.note.container)
        finally:
            _deaf()  # what has ended is recorded as it ended
            self.tail = self.log.ending(TAIL)
            self.log.close()
        lost = f"its output could not be kept: {self.log.lost}" if self.log.lost else ""
        detail = "; ".join(filter(None, [done.detail, lost, self.remark]))
        return JobRun(
            self.job.instance,
            self.job.name,
            self.began,
            now(),
            done.status,
            done.outcome,
            detail,
            done.container,
            self.job.generation or done.generation,
            self.note.tries,
            self.note.log if self.log.there else "",
        ).record(self.places)

    def _tried(self) -> Attempt:
        pause = _PAUSE
        for number in range(1, self.job.retries + 2):
            self.note = self.note._replace(tries=number)
            done = attempt(self.job, self.note.mark, self.log, self._begins)
            if done.outcome not in {"failed", "timeout"} or number > self.job.retries:
                break
            why = done.detail or f"exit status {done.status}"
            self.log.write(f"-- {why}: again in {pause:g} s --\n".encode())
            time.sleep(pause)
            pause *= _GROWTH
        return done

    def _begins(self, container: str, command: str) -> None:
        self.note = self.note._replace(container=container, command=command)
        self.mine.say(self.note)


def _claimed(job: Definition, places: Places) -> Claim | None:
    """Claim the right to run a job, in the way in which it wants to overlap; None: it is to be skipped."""
    if mine := claim(places, job.instance, job.name):
        return mine
    if job.overlap == "queue":
        try:  # one waits, so that they do not pile up
            with exclusive(places.runtime / "locks" / f"job.{job.instance}.{job.name}", job.subject):
                while not (mine := claim(places, job.instance, job.name)):
                    time.sleep(_LOOK)
                return mine
        except BusyError:
            return None
    return _taken_over(job, places) if job.overlap == "kill" else None


def _taken_over(job: Definition, places: Places) -> Claim:
    """End the run that is under way, and claim its place."""
    patience = 0.0
    while True:
        if note := note_of(places, job.instance, job.name):
            with process(note.runner, note.ticks) as runner:
                if runner is not None:
                    number = signal.SIGKILL if patience > note.grace + _LATE else signal.SIGTERM
                    with suppress(ProcessLookupError):
                        signal.pidfd_send_signal(runner, number)
        for _ in range(int(1 / _LOOK)):
            if mine := claim(places, job.instance, job.name):
                return mine
            time.sleep(_LOOK)
        patience += 1


@contextmanager
def _ending() -> Iterator[None]:
    """Let signals that ask this process to end reach the job, once; those that follow change nothing."""

    def told(number: int, _frame: FrameType | None) -> None:
        _deaf()
        raise ToldToEndError(number)

    before = {number: signal.signal(number, told) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _deaf() -> None:
    """Let no signal that asks for the end change anything any more."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
