"""`gitops apply` of a hundred instances against the docker SDK making the same containers from 8 threads."""

from bench.deploying import COUNT, times
from bench.figure import Figure


def measure() -> Figure:
    ours, bare, _ = times()
    return Figure(f"deploy {COUNT} instances", "docker SDK, 8 threads", ours.seconds, bare.seconds, 1.15)
