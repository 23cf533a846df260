"""The same as `bench.child` for the starter fleet's wordpress, where unpacking takes longer than fetching."""

from bench.child import compare
from bench.figure import Figure


def measure() -> Figure:
    return compare("wordpress")
