"""The agent at rest: a processor's time for one look, git's included, against what 30 seconds allow."""

from bench.figure import Figure, Limit
from bench.resting import resting

_POLL = 30  # seconds
_SHARE = 0.002


def measure() -> Figure:
    found = resting(100)
    return Figure(
        "agent at rest, 100 instances: processor's time of a look",
        f"{_SHARE:.1%} of a core at a poll of {_POLL} s",
        found.busy,
        _POLL * _SHARE,
        1.0,
        Limit(found.resident / 1e6, 60, "MB"),
    )
