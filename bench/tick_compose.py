"""The same as a whole process, against `docker compose up -d` with nothing to do for as many services."""

from bench.figure import Figure
from bench.resting import against_compose


def measure() -> Figure:
    ours, theirs = against_compose(100)
    return Figure(
        "gitops agent once, 100 instances, nothing to do",
        "docker compose up -d, 100 services, nothing to do",
        ours.seconds,
        theirs.seconds,
        0.2,
    )
