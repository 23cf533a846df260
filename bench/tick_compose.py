"""The agent's tick again, against `docker compose up -d` with nothing to do for as many services."""

from bench.figure import Figure
from bench.resting import against_compose, resting


def measure() -> Figure:
    _, theirs = against_compose(100)
    return Figure(
        "tick, 100 instances, nothing to do",
        "docker compose up -d, 100 services, nothing to do",
        resting(100).look,
        theirs.seconds,
        0.2,
    )
