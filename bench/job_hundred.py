"""A job of each of a hundred instances, all begun at once, against as many `docker exec`: processors' time.

The engine's counts too: dockerd's, containerd's and its shims', with all that they have started and buried.
"""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

from bench.figure import BenchError, Figure, Run, in_turns
from bench.hundred import Host, host
from bench.job_run import JOBS
from bench.stage import GITOPS

_COUNT = 100
_TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> Figure:
    with host(_COUNT, JOBS) as made:
        made.gitops("apply")
        names = [f"i{number:03}" for number in range(_COUNT)]

        def at_once(commands: list[list[str]]) -> Run:
            before, begun = _spent(made), time.perf_counter()
            started = [Popen(command, env=made.env, stdout=DEVNULL, stderr=DEVNULL) for command in commands]
            if sum(process.wait() for process in started):
                raise BenchError(f"{' '.join(commands[0])} or one like it failed")
            seconds = time.perf_counter() - begun
            return Run(seconds, 0, _spent(made) - before)

        ours, theirs = in_turns(
            3,
            lambda: at_once([[GITOPS, "job", "run", name, "tick", "--due"] for name in names]),
            lambda: at_once([["docker", "exec", f"{made.fleet.name}.{name}.web", "true"] for name in names]),
        )
    return Figure(
        f"{_COUNT} jobs due in the same minute: processors' time, the engine's too",
        f"{_COUNT} docker exec started the same way",
        ours.cpu,
        theirs.cpu,
        1.5,
    )


def _spent(made: Host) -> float:
    """Give the processors' seconds of the measured programs that have ended, and of the host's engine."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + sum(_engine(str(made.engine.root).encode()))


def _engine(sign: bytes) -> Iterator[float]:
    """Give the seconds of each process of an engine; all of them have its directory in their command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                ours = sign in (entry / "cmdline").read_bytes()
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if ours:
                yield sum(map(int, fields[11:15])) / _TICKS  # its own and its children's
