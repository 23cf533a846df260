"""A kill between any two calls to the engine: the next apply always knows what to do.

Each test counts the calls that one roll-out makes, and then does it again and again, dying right after the
first, the second…, and with `BEFORE=1` right before each, too, which is the same moment for the engine; real
SIGKILLs at random moments are in test_apply.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gitops.deploy.desired import Desired
from gitops.engine.connection import away
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, HealthSpec
from gitops.fleet.rollout import Rollout
from tests.deploy.deploying import Deployment, wanting
from tests.engine_fixtures import container

_AFTER = [False, True] if os.environ.get("BEFORE") else [True]
_sides = pytest.mark.parametrize("after", _AFTER, ids=["before", "after"][-len(_AFTER) :])

QUICK = Rollout(wait=0.1, batch="100%")
SICK = HealthSpec(("CMD-SHELL", "exit 1"), 10**8, 10**9, 1, 0)
CHANGES = {
    "create",
    "ensure_network",
    "ensure_volume",
    "keep_down",
    "let_restart",
    "remove",
    "remove_network",
    "rename",
    "start",
    "stop",
    "update_limits",
}


class _Killed(BaseException):
    """Nothing in the program catches this, as nothing catches SIGKILL."""


@dataclass
class Mortal:
    """The real engine, until the process dies: no call comes through any more."""

    engine: Docker
    calls_left: int
    after: bool
    death: BaseException = field(default_factory=_Killed)
    made: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        """Give a call of the engine, counted where it changes something."""
        call = getattr(self.engine, name)
        return self._counted(name, call) if name in CHANGES else call

    def _counted(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **options: object) -> object:
            self.made.append(name)
            if len(self.made) < self.calls_left:
                return call(*args, **options)
            if len(self.made) == self.calls_left and self.after:
                call(*args, **options)
            raise self.death

        return counted


@pytest.fixture
def host(fleet_name: str, tmp_path: Path) -> Iterator[Deployment]:
    with Docker() as engine:
        yield Deployment(engine, fleet_name, tmp_path)


def alice(host: Deployment, image: str, **web: object) -> tuple[ContainerSpec, ...]:
    fields = {"restart": "always", "stop_grace_period": 1.0}
    db = container(host.fleet, "alice/db", image, **fields)
    return db, replace(container(host.fleet, "alice/web", image, **fields), **web)  # type: ignore[arg-type]


def calls(host: Deployment, desired: Desired) -> int:
    """Count the changes that going from what runs to this takes."""
    counting = Mortal(host.engine, 10_000, after=False)
    replace(host, engine=counting).apply(desired)  # type: ignore[arg-type]  # it passes everything on
    return len(counting.made)


def die(host: Deployment, desired: Desired, at: int, *, after: bool) -> None:
    mortal = Mortal(host.engine, at, after)
    with pytest.raises(_Killed):
        replace(host, engine=mortal).apply(desired)  # type: ignore[arg-type]  # as above


def whole(host: Deployment, desired: Desired) -> bool:
    """Tell whether there is exactly what is wanted, running, with the policy that it should have."""
    policies = {
        str(host.engine._api.inspect_container(one.id)["HostConfig"]["RestartPolicy"]["Name"])  # noqa: SLF001
        for one in host.containers()
    }
    return (
        host.states() == {one.name.removeprefix(f"{host.fleet}."): "running" for one in desired.containers}
        and policies == {"always"}
        and not host.plan(desired)
        and not host.plan(desired).held
    )


@_sides
def test_a_roll_out_that_dies_at_any_step_is_completed(host: Deployment, image: str, *, after: bool) -> None:
    turns = [
        wanting(
            host.fleet,
            *(replace(one, environment=(("TURN", turn),)) for one in alice(host, image)),
            rollout=QUICK,
        )
        for turn in "01"
    ]
    host.apply(turns[0])
    total = calls(host, turns[1])
    assert total >= 10
    for at in range(1, total + 1):
        goal = turns[at % 2 == 0]
        die(host, goal, at, after=after)
        host.apply(goal)
        assert whole(host, goal), f"killed at {at} of {total}"


@_sides
def test_an_engine_that_dies_at_any_step_is_no_failure_of_what_it_was_to_run(
    host: Deployment, image: str, *, after: bool
) -> None:
    goal, standing = (
        wanting(host.fleet, *(replace(one, hostname=name) for one in alice(host, image)), rollout=QUICK)
        for name in ("first", "second")
    )
    host.apply(goal)
    total = calls(host, standing)
    for at in range(1 + after, total + 1, 4):
        dying = Mortal(host.engine, at, after, away("it died"))
        _, applied = replace(host, engine=dying).apply(goal)  # type: ignore[arg-type]  # as above
        assert applied.problems
        host.apply(goal)
        assert whole(host, goal), f"died at {at} of {total}"
        goal, standing = standing, goal


@_sides
def test_a_rollback_that_dies_at_any_step_is_completed(host: Deployment, image: str, *, after: bool) -> None:
    good = wanting(host.fleet, *alice(host, image), rollout=QUICK)
    db, web = alice(host, image, healthcheck=SICK, has_health=True)
    broken = wanting(host.fleet, replace(db, hostname="new"), web, rollout=QUICK)
    host.apply(good)
    before = host.ids()
    total = calls(host, broken)
    for at in range(1, total + 1):
        assert host.ids() == before
        host.apply(good)
        die(host, broken, at, after=after)
        host.apply(broken)
        assert host.ids() == before, f"killed at {at} of {total}"
        assert whole(host, good), f"killed at {at} of {total}"


@_sides
def test_git_may_move_on_or_back_whatever_a_kill_has_left(
    host: Deployment, image: str, *, after: bool
) -> None:
    versions = [
        wanting(host.fleet, *(replace(one, hostname=name) for one in alice(host, image)), rollout=QUICK)
        for name in ("first", "second", "third")
    ]
    host.apply(versions[0])
    standing = versions[1]
    total = calls(host, standing)
    for at in range(1, total + 1):
        following, one_more = (one for one in versions if one is not standing)
        die(host, following, at, after=after)
        standing = one_more if at % 2 else standing
        host.apply(standing)
        assert whole(host, standing), f"killed at {at} of {total}"


@_sides
def test_an_instance_that_goes_while_its_roll_out_is_cut_short_leaves_nothing_but_volumes(
    host: Deployment, image: str, *, after: bool
) -> None:
    bob = container(host.fleet, "bob/web", image, restart="always", stop_grace_period=1.0)
    first = wanting(host.fleet, *alice(host, image), bob, rollout=QUICK)
    second = wanting(
        host.fleet, *(replace(one, hostname="new") for one in alice(host, image)), bob, rollout=QUICK
    )
    gone = wanting(host.fleet, bob, rollout=QUICK)
    host.apply(first)
    total = calls(host, second)
    for at in range(1, total + 1, 3):
        host.apply(first)
        die(host, second, at, after=after)
        host.apply(gone)
        assert whole(host, gone), f"killed at {at} of {total}"
