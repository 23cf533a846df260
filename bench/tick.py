"""The tick of a host with a hundred instances and nothing to do, against asking git and the engine."""

from bench.figure import Figure
from bench.resting import resting


def measure() -> Figure:
    found = resting(100)
    return Figure(
        "tick, 100 instances, nothing to do",
        "git ls-remote + one containers list call",
        found.look,
        found.floor,
        2.0,
    )
