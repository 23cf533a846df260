"""A host with a hundred instances against a hundred times one with one: time of a look, and our memory."""

from bench.figure import Figure, Limit
from bench.resting import resting


def measure() -> Figure:
    one, many = resting(1), resting(100)
    return Figure(
        "a look at 100 instances; memory for each more",
        "a look at one instance, 100 times",
        many.look,
        one.look * 100,
        1.0,
        Limit((many.resident - one.resident) / 99 / 1000, 10, "kB"),
    )
