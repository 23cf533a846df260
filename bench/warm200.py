"""The same as `bench.warm` for 200 images."""

from bench.figure import Figure
from bench.warm import compare


def measure() -> Figure:
    return compare(200)
