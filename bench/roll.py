"""One image change over a hundred instances, ten at a time, against the docker SDK replacing as many.

What every batch must have run before the next begins is no work, so it does not count.
"""

from itertools import count

from bench.figure import Figure, Run, in_turns
from bench.hundred import BATCH, WAIT, host

_COUNT = 100


def measure() -> Figure:
    with host(_COUNT) as made:
        made.gitops("apply")
        made.bare("deploy", "-bare")
        turns = count(1)

        def ours() -> Run:
            made.turn(next(turns))
            done = made.gitops("apply")
            return Run(done.seconds - WAIT * _COUNT / BATCH, done.peak)

        def theirs() -> Run:
            done = made.bare("roll", "-bare")
            made.sweep()
            return done

        mine, bare = in_turns(1, ours, theirs)
    return Figure(
        f"roll an image over {_COUNT} instances, batch {BATCH}, without health waits",
        "docker SDK, 8 threads: stop, create, start",
        mine.seconds,
        bare.seconds,
        1.2,
    )
