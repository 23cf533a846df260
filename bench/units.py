"""The same as `bench.manifests` where systemd is the scheduler: 10,000 units beside the definitions."""

from bench.figure import Figure
from bench.manifests import compare


def measure() -> Figure:
    ours, theirs = compare("systemd")
    return Figure("definitions and units of the same", "writing the same 11,000 files", ours, theirs, 3.0)
