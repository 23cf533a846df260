"""A hundred instances deployed by us, by the bare SDK and by compose, in turns; once for two figures."""

from functools import cache

from bench.compose import compose
from bench.figure import Run, in_turns, run
from bench.hundred import Host, host

COUNT = 100


@cache
def times() -> tuple[Run, Run, Run]:
    """Give what `gitops apply`, the SDK and `docker compose up -d` take from nothing to all running."""
    with compose() as program, host(COUNT) as made:
        file = made.compose_file()

        def composed() -> Run:
            return run(program, "--file", file, "up", "--detach", "--quiet-pull", env=made.env)

        ours, bare, theirs = in_turns(
            1,
            lambda: _then_clear(made, made.gitops("apply")),
            lambda: _then_clear(made, made.bare("deploy")),
            lambda: _then_clear(made, composed()),
        )
    return ours, bare, theirs


def _then_clear(made: Host, done: Run) -> Run:
    made.clear()
    return done
