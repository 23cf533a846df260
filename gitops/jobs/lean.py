"""`gitops job run`, as cron starts it a hundred times a minute: without the rest of the program being loaded.

What is imported here, and by what this imports, is paid for by every run of every job.
"""

import sys
from collections.abc import Callable, Sequence

from gitops.jobs.definition import Definition, definition
from gitops.jobs.ended import JobRun
from gitops.jobs.run import ToldToEndError, run_job
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places, places

_FLAGS = frozenset({"--due", "--follow"})
_USAGE = 1


def lean(words: Sequence[str]) -> int | None:
    """Run a job where the words are nothing but its names and flags, and this host has its definition.

    Args:
        words: what follows `gitops job run`.

    Returns:
        The exit status; None where the whole program is needed: other options, a fleet's directory, help.
    """
    names = [word for word in words if not word.startswith("-")]
    flags = {word for word in words if word.startswith("-")}
    if len(names) != 2 or flags - _FLAGS:  # noqa: PLR2004  # instance and job
        return None
    try:
        here = places()
        job = definition(here, *names)
        return None if job is None else run(job, here, due="--due" in flags, follow="--follow" in flags)
    except UserError as error:
        from gitops.system.complaint import complain  # noqa: PLC0415  # seldom, and every start counts

        complain(error)
        return _USAGE


def run(job: Definition, here: Places, *, due: bool, follow: bool) -> int:
    """Run a job, say on standard error how it went, and give the exit status.

    Args:
        job: which.
        here: the host's directories.
        due: cron started this; it may be a minute that is not meant, or too early by seconds. Nothing is said
            of a run that went well.
        follow: print the output as it comes.
    """
    if due and not _its_time(job):
        return 0
    try:
        done = run_job(job, here, show=_show() if follow else None)
    except ToldToEndError as told:  # an instant before it began, or after it had ended
        return 128 + told.described()[0]
    if not due or done.outcome not in {"ok", "skipped"}:
        sys.stdout.flush()
        print(_told(job, done), file=sys.stderr)  # noqa: T201  # what the verb would print
    return done.status


def _its_time(job: Definition) -> bool:
    if not job.timezone and not job.spread:
        return True
    import time  # noqa: PLC0415  # most jobs need neither

    from gitops.jobs.calendar import due  # noqa: PLC0415  # as above

    started = now()
    if not due(job.schedule, job.timezone, job.spread, started):
        return False
    time.sleep(max(0.0, job.spread % 60 - started.second - started.microsecond / 1e6))
    return True


def _show() -> Callable[[bytes], object]:
    def show(piece: bytes) -> None:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    if not sys.stdout.isatty():
        return show
    from codecs import getincrementaldecoder  # noqa: PLC0415  # a person looks on, and has the time

    from gitops.system.terminal import guard  # noqa: PLC0415  # as above

    guard()
    decode = getincrementaldecoder("utf-8")(errors="replace").decode

    def show_safely(piece: bytes) -> None:
        sys.stdout.write(decode(piece))
        sys.stdout.flush()

    return show_safely


def _told(job: Definition, done: JobRun) -> str:
    if done.outcome == "skipped":
        return f"{job.name} of {job.instance} is still running; skipped"
    status = f" with exit status {done.status}" if done.outcome == "failed" else ""
    words = {"ok": "went well", "timeout": "took too long", "missed": "was missed", "killed": "was ended"}
    detail = f": {done.detail}" if done.detail else ""
    kept = f"; gitops job log {job.instance} {job.name}" if done.log else ""
    went = f"{words.get(done.outcome, done.outcome)}{status} after {done.seconds:.1f} s"
    return f"{job.name} of {job.instance} {went}{detail}{kept}"
