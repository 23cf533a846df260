"""Pushing one commit to a server with the hooks, all of it, against `gitops check`."""

from bench.figure import Figure, Run, in_turns
from bench.guarded import guarded


def measure() -> Figure:
    with guarded() as stage:

        def push() -> Run:
            stage.commit(1)
            return stage.push()

        ours, check = in_turns(7, push, stage.check)
    return Figure(
        "push to a server with the hooks, 1,000 apps, one commit",
        "gitops check of the same fleet",
        ours.seconds,
        check.seconds,
        1.2,
    )
