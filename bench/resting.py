"""What a host costs on which there is nothing to do; measured once for several figures."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.compose import compose
from bench.figure import Run, in_turns, run
from bench.hundred import Host, host
from bench.stage import GITOPS, PYTHON

_LOOKS = 20
_LOOK = Path(__file__).with_name("looks.py")
_FIELDS = slice(13, 17)
"""utime, stime, cutime, cstime in proc_pid_stat(5), counted from 0; children that have ended are git's."""


@dataclass(frozen=True)
class Resting:
    """What was measured.

    Args:
        look: seconds of one look of the agent.
        floor: seconds of `git ls-remote` and one containers list call.
        busy: seconds of a processor's time for one look of the daemon, git's included.
        resident: the daemon's memory, bytes.
        state: what gitops keeps on disk, bytes.
    """

    look: float
    floor: float
    busy: float
    resident: int
    state: int


@cache
def resting(count: int) -> Resting:
    """Measure a host with so many instances."""
    with host(count) as made:
        settle(made)
        told = subprocess.run(
            [PYTHON, _LOOK, str(_LOOKS)], env=made.env, check=True, capture_output=True, text=True
        )
        look, floor = map(float, told.stdout.split())
        busy, resident = _daemon(made)
        places = made.fleet.places
        files = [path for top in (places.state, places.cache) for path in top.rglob("*") if path.is_file()]
        return Resting(look, floor, busy, resident, sum(path.stat().st_size for path in files))


@cache
def against_compose(count: int) -> tuple[Run, Run]:
    """Give what `gitops agent once` and `docker compose up -d` take where nothing is to do."""
    with compose() as program, host(count) as made:
        settle(made)
        up = (program, "--file", made.compose_file(), "up", "--detach")
        run(*up, env=made.env)
        ours, theirs = in_turns(5, lambda: made.gitops("agent", "once"), lambda: run(*up, env=made.env))
        return ours, theirs


def settle(made: Host) -> None:
    """Tick until there is nothing to do, and that is known."""
    for _ in range(3):
        made.gitops("agent", "once")


def _daemon(made: Host) -> tuple[float, int]:
    """Let the agent look every second or so; give a processor's seconds for one look, and its memory."""
    report = made.fleet.places.runtime / "tick.json"
    with subprocess.Popen([GITOPS, "agent", "run"], env=made.env, stdout=subprocess.DEVNULL) as agent:
        try:
            _looks(report, 2)
            before = _busy(agent.pid)
            _looks(report, _LOOKS)
            busy = (_busy(agent.pid) - before) / _LOOKS
            status = Path(f"/proc/{agent.pid}/status").read_text().splitlines()
        finally:
            agent.send_signal(signal.SIGTERM)
    (resident,) = (int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))
    return busy, resident


def _looks(report: Path, times: int) -> None:
    """Wait until the agent has looked so often."""
    for _ in range(times):
        seen = report.stat().st_mtime_ns
        while report.stat().st_mtime_ns == seen:
            time.sleep(0.02)


def _busy(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().split()[_FIELDS]
    return sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")
