"""Pushing a hundred commits to a server with the hooks against pushing one."""

from bench.figure import Figure, Run, in_turns
from bench.guarded import guarded

_MANY = 100


def measure() -> Figure:
    with guarded() as stage:

        def push(commits: int) -> Run:
            stage.commit(commits)
            return stage.push()

        many, one = in_turns(7, lambda: push(_MANY), lambda: push(1))
    return Figure(
        "push to a server with the hooks, 1,000 apps, 100 commits",
        "one commit",
        many.seconds,
        one.seconds,
        2.0,
    )
