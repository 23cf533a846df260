"""The table of docs/rollouts.md, row by row: what is seen of a service, and the one step that leads on."""

from dataclasses import replace

import pytest

from gitops.deploy.action import Kind, Result
from gitops.deploy.desired import Desired, Placed
from gitops.deploy.failures import Failure, identity
from gitops.deploy.plan import Engine, Plan, plan
from gitops.engine.names import BEFORE, OVER
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, NetworkSpec
from gitops.fleet.rollout import Rollout
from tests.deploy.model_engine import carry_out, holds, running

OLD = ContainerSpec("f.alice.web", "alice", "web", "f/web:1", "web", (("f.alice.default", ("web",)),))
NEW = replace(OLD, user="new")
OTHER = replace(OLD, user="other")
DB = replace(OLD, name="f.alice.db", service="db")


def aside(spec: ContainerSpec, ending: str = BEFORE, **fields: object) -> Observed:
    return running(spec, id=f"{spec.name}-kept", name=spec.name + ending, state="exited", **fields)


def wanting(*specs: ContainerSpec, rollout: Rollout | None = None) -> Desired:
    networks = {name: NetworkSpec(name, one.instance, "default") for one in specs for name, _ in one.networks}
    placed = Placed("blog", rollout or Rollout())
    return Desired(
        specs, tuple(networks.values()), (), dict.fromkeys([one.instance for one in specs], placed)
    )


def having(*containers: Observed, failures: dict[str, Failure] | None = None) -> Engine:
    networks = frozenset((name, one.instance) for one in containers for name in one.networks)
    return Engine(containers, networks, images=frozenset({"f/web:1"}), failures=failures or {})


def kinds(found: Plan) -> list[Kind]:
    return [one.kind for one in found.actions]


@pytest.mark.parametrize(
    ("place", "kept", "wanted", "kind"),
    [
        (None, None, NEW, Kind.CREATE),
        (OLD, None, NEW, Kind.RECREATE),
        (None, OLD, NEW, Kind.RECREATE),
        (NEW, OLD, NEW, Kind.FINISH),
        (OTHER, OLD, NEW, Kind.RECREATE),
        (None, OLD, OLD, Kind.PUT_BACK),
        (NEW, OLD, OLD, Kind.PUT_BACK),
        (OLD, OLD, OLD, Kind.FINISH),
    ],
)
def test_one_service_has_one_step_that_leads_on(
    place: ContainerSpec | None, kept: ContainerSpec | None, wanted: ContainerSpec, kind: Kind
) -> None:
    seen = having(*([running(place)] if place else []), *([aside(kept)] if kept else []))
    seen = replace(seen, networks=frozenset({("f.alice.default", "alice")}))
    steps = plan(wanting(wanted), seen)
    assert kinds(steps) == [kind]
    after = carry_out(steps, seen)
    assert holds(after, wanting(wanted))
    assert not plan(wanting(wanted), after)


@pytest.mark.parametrize("place", [None, OLD, NEW])
def test_a_service_that_is_wanted_no_more_goes_with_what_stands_aside(place: ContainerSpec | None) -> None:
    seen = having(running(DB), *([running(place)] if place else []), aside(OLD))
    steps = plan(wanting(DB), seen)
    assert kinds(steps) == [Kind.REMOVE]
    assert holds(carry_out(steps, seen), wanting(DB))


def test_what_is_over_goes_last_and_takes_all_that_stands_aside_along() -> None:
    seen = having(running(DB), running(NEW), aside(OLD), aside(DB, OVER))
    steps = plan(wanting(DB, NEW), seen)
    assert [(one.kind, one.observed and one.observed.name) for one in steps.actions] == [
        (Kind.TIDY, "f.alice.web.before"),
        (Kind.TIDY, "f.alice.db.over"),
    ]
    assert not plan(wanting(DB, NEW), carry_out(steps, seen))


def failure(*specs: ContainerSpec, added: tuple[str, ...] = ()) -> dict[str, Failure]:
    what = identity(specs)
    return {"alice": Failure("alice", ("alice",), what, Result.FAILED, "web is unhealthy", "then", added)}


@pytest.mark.parametrize("place", [None, NEW, OTHER])
def test_what_failed_goes_back_to_what_stands_aside(place: ContainerSpec | None) -> None:
    seen = having(*([running(place)] if place else []), aside(OLD), failures=failure(NEW))
    steps = plan(wanting(NEW), replace(seen, networks=frozenset({("f.alice.default", "alice")})))
    assert kinds(steps) == [Kind.ROLL_BACK]
    assert [one.instance for one in steps.held] == ["alice"]
    after = carry_out(steps, seen)
    assert holds(after, wanting(OLD))
    assert not plan(wanting(NEW), after)


def test_a_service_that_came_with_what_failed_goes_with_it() -> None:
    seen = having(running(DB), running(OLD), failures=failure(DB, NEW, added=("db",)))
    steps = plan(wanting(DB, NEW), seen)
    assert [str(one) for one in steps.actions] == [
        "clear away alice/db: the roll-out failed: web is unhealthy"
    ]


def test_a_failure_at_another_thing_than_git_says_now_holds_nothing() -> None:
    steps = plan(wanting(NEW), having(running(OLD), failures=failure(OTHER)))
    assert (kinds(steps), steps.held) == ([Kind.RECREATE], ())


def test_a_failure_that_is_remembered_of_what_runs_well_holds_nothing() -> None:
    steps = plan(wanting(NEW), having(running(NEW), failures=failure(NEW)))
    assert (kinds(steps), steps.held) == ([], ())


@pytest.mark.parametrize(
    ("health", "expected"), [("healthy", [Kind.FINISH]), ("unhealthy", []), ("starting", [])]
)
def test_what_a_pause_has_left_is_finished_once_it_is_well(health: str, expected: list[Kind]) -> None:
    paused = Rollout(on_failure="pause")
    seen = having(running(NEW, health=health), aside(OLD), failures=failure(NEW))
    steps = plan(wanting(NEW, rollout=paused), seen)
    assert kinds(steps) == expected
    assert bool(steps.held) == (not expected)


def named(spec: ContainerSpec, instance: str) -> ContainerSpec:
    network = f"f.{instance}.default"
    return replace(spec, name=f"f.{instance}.web", instance=instance, networks=((network, ("web",)),))


def test_what_a_roll_out_had_begun_is_ended_and_the_rest_is_not_touched() -> None:
    alice, bob, carol = (named(NEW, name) for name in ("alice", "bob", "carol"))
    seen = having(
        running(named(OLD, "alice")),
        running(bob),
        aside(named(OLD, "bob")),
        running(named(OLD, "carol"), state="exited", status="Exited (137)"),
        failures=failure(alice),
    )
    steps = plan(wanting(alice, bob, carol), seen)
    assert [(one.kind, one.instance) for one in steps.actions] == [
        (Kind.FINISH, "bob"),
        (Kind.START, "carol"),
    ]
    assert [(one.instance, one.result) for one in steps.held] == [
        ("alice", Result.FAILED),
        ("carol", Result.NOT_TOUCHED),
    ]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({"mem_limit": 1}, {"mem_limit": 2}, Kind.UPDATE),
        ({}, {"cpus": 0.5, "mem_limit": 1}, Kind.UPDATE),
        ({"pids_limit": 5}, {}, Kind.UPDATE),
        ({"mem_limit": 1}, {}, Kind.RECREATE),
        ({"mem_limit": 1}, {"mem_limit": 2, "user": "x"}, Kind.RECREATE),
        ({"shm_size": 1}, {"shm_size": 2}, Kind.RECREATE),
    ],
)
def test_limits_alone_need_no_new_container(
    before: dict[str, object], after: dict[str, object], kind: Kind
) -> None:
    old, new = (replace(OLD, **fields) for fields in (before, after))  # type: ignore[arg-type]  # fields of a spec
    assert kinds(plan(wanting(new), having(running(old)))) == [kind]


def test_limits_of_a_container_that_does_not_run_come_with_a_new_one() -> None:
    new = replace(OLD, mem_limit=2)
    assert kinds(plan(wanting(new), having(running(OLD, state="exited")))) == [Kind.RECREATE]
