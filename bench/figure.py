"""One figure: a piece of work, measured in turns with what it is held against, and the most it may take."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen


class BenchError(Exception):
    """A command that was to be measured failed."""


@dataclass(frozen=True)
class Run:
    """What one run of a program took: seconds by the wall's clock, peak memory in MB, processors' seconds."""

    seconds: float
    peak: float
    cpu: float = 0


@dataclass(frozen=True)
class Limit:
    """A promise besides the ratio.

    Args:
        value: what was measured.
        most: what it may be.
        unit: of both.
    """

    value: float
    most: float
    unit: str


@dataclass(frozen=True)
class Figure:
    """A result; times are medians in seconds.

    Args:
        work: what was measured.
        against: what it is held against.
        ours: its time.
        theirs: the time of what it is held against.
        at_most: the ratio of the two that is promised; None where only a limit is.
        limit: a promise besides.
    """

    work: str
    against: str
    ours: float
    theirs: float
    at_most: float | None
    limit: Limit | None = None

    @property
    def ratio(self) -> float:
        """Ours in terms of theirs."""
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        """Tell whether every promise is kept."""
        within = self.limit is None or self.limit.value <= self.limit.most
        return (self.at_most is None or self.ratio <= self.at_most) and within


def run(
    *args: str | Path,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int = DEVNULL,
) -> Run:
    """Run a program to its end and say what it took.

    Raises:
        BenchError: it failed; its last words are in the message.
    """
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = Popen(args, env=env, cwd=cwd, stdin=stdin, stdout=output, stderr=STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            words = output.read().decode(errors="replace").strip().splitlines()[-15:]
            raise BenchError("\n".join([f"{' '.join(map(str, args))}: status {process.returncode}", *words]))
    return Run(seconds, usage.ru_maxrss * 1024 / 1e6, usage.ru_utime + usage.ru_stime)


def in_turns(times: int, *works: Callable[[], Run]) -> list[Run]:
    """Do each work so many times, one after the other and over again; give each one's median time and peak.

    Turns, because a machine that is slow for a while is then slow for all of them. The first round, which
    fills caches, does not count.
    """
    rounds = [[work() for work in works] for _ in range(times + 1)][1:]
    return [_median([turn[index] for turn in rounds]) for index in range(len(works))]


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.peak for run in runs),
        statistics.median(run.cpu for run in runs),
    )
