"""Whatever happens, in whatever order: archives move, people merge, close and write, forges fail half way.

In the end there is at most one open pull request a group, and once all are merged the locks are those that a
fresh lock would make.
"""

from collections import Counter
from itertools import chain

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive import SigningKey
from tests.updates.world import SOURCES, world

source = st.sampled_from(SOURCES)
which = st.integers(0, 3)
changes = st.one_of(
    st.tuples(st.just("release"), source), st.tuples(st.just("withdraw"), source), st.just(("rename",))
)
runs = st.one_of(
    st.just(("run",)),
    st.tuples(st.just("fail"), st.sampled_from(["GET", "POST", "PATCH", "PUT"]), st.booleans()),
)
people = st.one_of(st.tuples(st.just("merge"), which), st.tuples(st.just("close"), which), st.just(("run",)))
nights = st.tuples(changes, changes, runs, people)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kind=st.sampled_from(["github", "gitlab", "forgejo"]),
    group=st.sampled_from(["all", "source", "image"]),
    happened=st.lists(nights, min_size=2, max_size=4),
)
def test_all_ends_well(
    kind: str, group: str, happened: list[tuple[tuple[object, ...], ...]], archive_key: SigningKey
) -> None:
    with world(kind, group, archive_key) as made:
        for name, *arguments in chain.from_iterable(happened):
            getattr(made, str(name))(*arguments)
            branches = Counter(pull.branch for pull in made.open)
            assert all(number == 1 for number in branches.values()), branches

        # Something newer of everything: what a person closed is worth another look.
        for source in SOURCES:
            made.release(source)
        made.run()
        for _ in range(10):
            if not made.open:
                break
            made.merge(0)
            made.run()
        assert made.open == []
        before = made.forge.writes.copy()
        made.run()
        assert made.forge.writes == before
        assert made.locks("main") == made.fresh()
