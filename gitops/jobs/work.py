"""The three ways in which a job is done: in its service's container, in one of its own, on the host itself.

Each is begun when it is made, and then has the same four functions:

- `read` gives the next piece of output, empty at its end; TimeoutError after so many seconds;
- `status` waits for the exit status; TimeoutError after so many seconds, UserError when it is lost;
- `process` gives the number of the first process on this machine; 0 when that is gone or cannot be known;
- `close` lets go of it, once it has ended.
"""

import os
import select
import time
from collections.abc import Callable
from typing import Any

from gitops.engine import attached
from gitops.jobs.definition import Definition
from gitops.system.errors import UserError
from gitops.system.marked import VARIABLE

_PIECE = 65536
_PATIENCE = 60.0
"""Seconds that an engine may be away before a job's own container is left behind."""


def begin(job: Definition, mark: str, container: str, tell: Callable[[str], object]) -> "Work":
    """Begin a job.

    Args:
        job: which.
        mark: value of the variable that tells its processes from all others.
        container: that of its service; empty for what runs on the host.
        tell: is given the engine's name of the command, before that begins, where the engine has one.

    Raises:
        UserError: the container is gone, the engine refuses, or there is no such program.
    """
    if job.of_host:
        return OnHost(job, mark)
    return InOwn(job, mark, container) if job.mode == "run" else InService(job, mark, container, tell)


class InService:
    """A command in the container of its service."""

    def __init__(self, job: Definition, mark: str, container: str, tell: Callable[[str], object]) -> None:
        """Begin it."""
        self._made = attached.create_exec(container, _body(job, mark))
        tell(self._made)
        self._output = attached.start_exec(self._made)

    def read(self, timeout: float) -> bytes:
        """Give the next piece of output."""
        return self._output.read(timeout)

    def status(self, timeout: float) -> int:
        """Wait for the exit status."""
        return attached.exec_status(self._made, timeout)

    def process(self) -> int:
        """Give the number of its first process."""
        return process_of(self._made)

    def close(self) -> None:
        """Let go of the connection."""
        self._output.close()


class InOwn:
    """A command in a container of its own, like that of its service."""

    def __init__(self, job: Definition, mark: str, container: str) -> None:
        """Begin it."""
        name = own_container(job, mark)
        self._made = attached.create_like(container, name, _body(job, mark), {LABEL: job.subject})
        try:
            self._output = attached.attach(self._made)
            attached.start(self._made)
        except BaseException:
            attached.remove_container(self._made, _PATIENCE)
            raise

    def read(self, timeout: float) -> bytes:
        """Give the next piece of output."""
        return self._output.read(timeout)

    def status(self, timeout: float) -> int:
        """Wait for the exit status."""
        return attached.container_status(self._made, timeout)

    def process(self) -> int:
        """Say nothing: the container's first process is the engine's, and keeps its mark."""
        return 0

    def close(self) -> None:
        """Remove the container."""
        self._output.close()
        attached.remove_container(self._made, _PATIENCE)


class OnHost:
    """A program on the host."""

    def __init__(self, job: Definition, mark: str) -> None:
        """Begin it."""
        from subprocess import STDOUT  # noqa: PLC0415  # what runs in a container needs none of it

        from gitops.system.program import itself  # noqa: PLC0415  # as above
        from gitops.system.run import start  # noqa: PLC0415  # as above

        argv = [*itself(), *job.argv[1:]] if job.argv[0] == "gitops" else job.argv
        self._process = start(argv, stderr=STDOUT, env={**job.environment, VARIABLE: mark}, session=True)

    def read(self, timeout: float) -> bytes:
        """Give the next piece of output."""
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101  # it was asked for
        deadline = time.monotonic() + timeout
        while not select.select([pipe], [], [], 0.2)[0]:
            if self._process.poll() is not None and not select.select([pipe], [], [], 0)[0]:
                return b""  # what it left behind in the background holds the pipe
            if time.monotonic() >= deadline:
                raise TimeoutError
        return os.read(pipe.fileno(), _PIECE)

    def status(self, timeout: float) -> int:
        """Wait for the exit status; a signal's number counts from 128, as in a shell."""
        from subprocess import TimeoutExpired  # noqa: PLC0415  # as above

        try:
            status = self._process.wait(max(0, timeout))
        except TimeoutExpired as error:
            raise TimeoutError from error
        return status if status >= 0 else 128 - status

    def process(self) -> int:
        """Give the number of its first process."""
        return self._process.pid if self._process.poll() is None else 0

    def close(self) -> None:
        """Let go of the pipe."""
        if self._process.stdout:
            self._process.stdout.close()


Work = InService | InOwn | OnHost
"""A job that was begun."""

LABEL = "gitops.job"
"""The label of a job's own container: INSTANCE/JOB."""


def process_of(made: str) -> int:
    """Give the number of the first process of a command in a container; 0 when it has ended or is lost."""
    try:
        return attached.exec_process(made) if made else 0
    except UserError:
        return 0


def own_container(job: Definition, mark: str) -> str:
    """Name the container that one run of a job has for itself; empty where it has none."""
    return f"{job.fleet}.{job.instance}.{job.name}.{mark}" if job.mode == "run" and not job.of_host else ""


def _body(job: Definition, mark: str) -> dict[str, Any]:
    return {
        "Cmd": list(job.command),
        "User": job.user or "",
        "WorkingDir": job.workdir or "",
        "Env": [*(f"{name}={value}" for name, value in job.environment.items()), f"{VARIABLE}={mark}"],
    }
