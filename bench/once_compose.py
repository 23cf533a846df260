"""The same for a host whose cron ticks: a whole process each time."""

from bench.figure import Figure
from bench.resting import against_compose


def measure() -> Figure:
    ours, theirs = against_compose(100)
    return Figure(
        "gitops agent once, 100 instances, nothing to do",
        "docker compose up -d, 100 services, nothing to do",
        ours.seconds,
        theirs.seconds,
        1.0,
    )
