"""Run a job as its schedule would: in the right container, for a limited time, its output in a log."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.fleet.fleet import Instance
from gitops.fleet.jobs import Job
from gitops.report.history import KEPT, Run, record
from gitops.system.clock import now, stamp
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

TIMED_OUT = 124
"""Exit status of a job that took too long, as timeout(1) has it."""

_KILLED = 137
_PATIENCE = 10
"""Seconds that a command which was killed may take to be gone."""

# $1 is the time limit, $2 the time between TERM and KILL, in seconds; the rest is the command, which
# timeout(1) ends with its process group. Standard input stays open as long as gitops lives: when it ends, so
# does the job, which thereby never outlives the lock that keeps a second one from starting.
_KEEPER = """limit=$1 grace=$2; shift 2
exec 3<&0
timeout --kill-after="$grace" "$limit" "$@" 2>&1 </dev/null 3<&- &
job=$!
{ read -r _; kill "$job"; } <&3 3<&- >/dev/null 2>&1 &
keeper=$!
exec 3<&-
wait "$job"
status=$?
kill "$keeper" 2>/dev/null
exit "$status" """


@dataclass(frozen=True)
class JobRun:
    """How a job went.

    Args:
        status: its exit status; 124 when it took too long; 0 when it was skipped.
        log: the file that holds its output.
        skipped: the one before is still running, so that this one was not begun.
    """

    status: int
    log: Path
    skipped: bool = False


def run_job(
    engine: Docker,
    fleet: str,
    instance: Instance,
    name: str,
    places: Places,
    *,
    show: Callable[[bytes], object] = lambda _: None,
) -> JobRun:
    """Run a job of an instance and wait for its end.

    Args:
        engine: the engine of this host.
        fleet: the fleet's name.
        instance: whose job it is.
        name: the job's name.
        places: where logs, history and locks are.
        show: is given the output as it comes, besides the log.

    Raises:
        UserError: there is no such job, or its service does not run.
    """
    job = _job(instance, name)
    began = now()
    log = log_directory(places, instance.name, name) / f"{stamp(began)}.log"
    with ExitStack() as stack:
        try:
            lock = places.runtime / "locks" / f"job.{fleet}.{instance.name}.{name}"
            stack.enter_context(exclusive(lock, f"the job {name} of {instance.name}"))
        except UserError:
            skipped = Run("job", instance.name, name, began, now(), 0, "the one before still runs", "skipped")
            record(places, skipped)
            return JobRun(0, log, skipped=True)
        try:
            found = _container(engine, fleet, instance, name, job)
        except UserError as error:
            detail = error.problems[0].message
            record(places, Run("job", instance.name, name, began, now(), 1, detail, "missed"))
            raise
        output = str(log.relative_to(places.state))
        where = Run(
            "job", instance.name, name, began, began, 1, "", "", found.id, found.generation, log=output
        )
        try:
            status = _execute(engine, found.name, job, log, show)
        except UserError as error:
            record(places, replace(where, ended=now(), detail=error.problems[0].message))
            raise
        detail, outcome = (
            (f"took longer than {job.timeout:g} s", "timeout") if status == TIMED_OUT else ("", "")
        )
        record(places, replace(where, ended=now(), status=status, detail=detail, outcome=outcome))
        return JobRun(status, log)


def log_directory(places: Places, instance: str, name: str) -> Path:
    """Give the directory of a job's logs; a log is named after the time at which the job began."""
    return places.state / "jobs" / instance / name


def logs(places: Places, instance: str, name: str) -> list[Path]:
    """List a job's logs, oldest first."""
    return sorted(log_directory(places, instance, name).glob("*.log"))


def _job(instance: Instance, name: str) -> Job:
    jobs = instance.definition.jobs
    if name not in jobs:
        raise UserError(
            f"{instance.name} has no job {name}",
            hint=f"its app {instance.app} has: {', '.join(sorted(jobs)) or 'none'}",
        )
    return jobs[name]


def _container(engine: Docker, fleet: str, instance: Instance, name: str, job: Job) -> Observed:
    found = engine.running(fleet, instance.host, instance.name, job.service)
    if found is None:
        raise UserError(
            f"{instance.name}/{job.service} is not running, so the job {name} cannot run in it",
            hint="`gitops status` shows what runs, `gitops apply` starts what should",
        )
    return found


def _execute(engine: Docker, container: str, job: Job, log: Path, show: Callable[[bytes], object]) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()

    def alive() -> Iterator[bytes]:
        ended.wait()
        yield from ()

    began = now()
    grace = max(job.grace, 0.1)  # 0 would mean never to timeout(1)
    with (
        log.open("ab") as file,
        engine.exec(
            container,
            ["/bin/sh", "-c", _KEEPER, "gitops-job", f"{job.timeout:g}", f"{grace:g}", *job.command],
            user=job.user,
            environment=job.environment,
            workdir=job.workdir,
            stdin=alive(),
            timeout=job.timeout + grace + _PATIENCE,
        ) as stream,
    ):
        try:
            for chunk in stream:
                file.write(chunk)
                file.flush()
                show(chunk)
            status = stream.wait()
        except TimeoutError:  # what left the process group may hold the output open
            return TIMED_OUT
        finally:
            ended.set()
    _remove_old(log.parent)
    if status == _KILLED and (now() - began).total_seconds() >= job.timeout:
        return TIMED_OUT
    return status


def _remove_old(directory: Path) -> None:
    for path in sorted(directory.glob("*.log"))[:-KEPT]:
        path.unlink(missing_ok=True)
