"""The same against `docker compose up -d` of a hundred such services."""

from bench.deploying import COUNT, times
from bench.figure import Figure


def measure() -> Figure:
    ours, _, composed = times()
    return Figure(f"deploy {COUNT} instances", "docker compose up -d", ours.seconds, composed.seconds, 1.0)
