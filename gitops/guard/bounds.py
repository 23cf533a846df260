"""What judging a push may take: whoever may push may send anything, templates that never end too."""

import resource
import signal
from types import FrameType

from gitops.system.errors import UserError

SECONDS = 120
"""A processor's time; a fleet of a thousand apps takes one."""

MEMORY = 2 << 30
"""Bytes; a fleet of a thousand apps takes 100 million."""

_GRACE = 10  # seconds until a process that does not see its signal is killed


def bound() -> None:
    """Bound what this process, and each that it starts, may take; and clear up when it is told to end."""
    _limit(resource.RLIMIT_CPU, SECONDS, SECONDS + _GRACE)
    # What is mapped from files does not count, so that git may have large packs.
    _limit(resource.RLIMIT_DATA, MEMORY, MEMORY)
    signal.signal(signal.SIGXCPU, _too_long)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _limit(what: int, soft: int, hard: int) -> None:
    """Set a limit, but none that is wider than what there is."""
    now = [value if value != resource.RLIM_INFINITY else hard for value in resource.getrlimit(what)]
    resource.setrlimit(what, (min(soft, now[0], now[1]), min(hard, now[1])))


def _too_long(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # it comes every second from now on
    raise UserError("takes too long to judge", hint="does one of its templates never end?")


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
