from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.deploy.action import Kind
from gitops.deploy.desired import Desired
from gitops.deploy.plan import Engine, plan
from gitops.engine.names import BEFORE, OVER
from gitops.engine.observed import Observed
from gitops.engine.specification import (
    ContainerSpec,
    DependencySpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    VolumeSpec,
    digests,
)
from tests.deploy.model_engine import carry_out, holds, running

DB = ContainerSpec(
    "f.alice.db",
    "alice",
    "db",
    "f/db:0123456789",
    "db",
    (("f.alice.default", ("db",)),),
    volumes=(MountSpec("volume", "f.alice.data", "/data"),),
)
WEB = ContainerSpec(
    "f.alice.web",
    "alice",
    "web",
    "f/web:aaaaaaaaaa",
    "web",
    (("f.alice.default", ("web",)),),
    depends_on=(DependencySpec("db", "service_healthy"),),
)


def wanting(*specs: ContainerSpec) -> Desired:
    networks = {name: NetworkSpec(name, one.instance, name) for one in specs for name, _ in one.networks}
    volumes = {mount.source: one.instance for one in specs for mount in one.volumes}
    return Desired(
        specs,
        tuple(networks.values()),
        tuple(VolumeSpec(name, instance, name) for name, instance in volumes.items()),
    )


def having(*containers: Observed) -> Engine:
    return Engine(
        containers,
        networks=frozenset((name, one.instance) for one in containers for name in one.networks),
        volumes=frozenset({"f.alice.data"}),
        images=frozenset({DB.image, WEB.image, *(one.image for one in containers)}),
    )


def lines(desired: Desired, engine: Engine) -> list[str]:
    return [str(action) for action in plan(desired, engine).actions]


def test_a_host_that_is_as_it_should_be_has_nothing_to_do() -> None:
    assert not plan(wanting(DB, WEB), having(running(DB), running(WEB)))


def test_an_empty_host_gets_images_networks_volumes_then_containers_in_order() -> None:
    assert lines(wanting(DB, WEB), Engine()) == [
        "build image db: 01234567 is not on this host",
        "build image web: aaaaaaaa is not on this host",
        "create network f.alice.default: alice needs it",
        "create volume f.alice.data: alice needs it",
        "create alice/db: it is not there",
        "create alice/web: it is not there",
    ]


def test_a_container_deleted_by_hand_comes_back_alone() -> None:
    assert lines(wanting(DB, WEB), having(running(DB))) == ["create alice/web: it is not there"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("exited", "it was stopped by hand or died"),
        ("created", "it was made but never started"),
        ("paused", "it was paused by hand"),
    ],
)
def test_a_container_that_stands_still_is_started_and_the_reason_told(state: str, reason: str) -> None:
    engine = having(running(DB), running(WEB, state=state, status="Exited (137) 1 minute ago"))
    assert lines(wanting(DB, WEB), engine) == [f"start alice/web: {reason}"]


@pytest.mark.parametrize("restart", ["no", "on-failure", "on-failure:3"])
def test_a_container_that_has_done_its_work_is_left_in_peace(restart: str) -> None:
    once = replace(WEB, restart=restart)
    done = running(once, state="exited", status="Exited (0) 2 hours ago")
    assert not plan(wanting(DB, once), having(running(DB), done))


def test_a_container_that_failed_at_its_work_is_started_again() -> None:
    once = replace(WEB, restart="no")
    failed = running(once, state="exited", status="Exited (1) 2 hours ago")
    assert lines(wanting(DB, once), having(running(DB), failed))[0].startswith("start alice/web")


def test_an_instance_that_stands_still_for_a_backup_is_left_alone_whatever_git_says() -> None:
    db = running(DB, state="paused")
    seen = replace(having(db, running(WEB)), holds={db.id: "backup"})
    for desired in (wanting(DB, WEB), wanting(replace(DB, user="x"), replace(WEB, user="x")), wanting()):
        found = plan(desired, seen)
        assert not found
        assert found.waiting == {"alice": "backup"}
    other = replace(WEB, name="f.bob.web", instance="bob")
    assert lines(wanting(DB, WEB, other), seen) == ["create bob/web: it is not there"]


def test_a_changed_field_is_named() -> None:
    changed = replace(WEB, environment=(("A", "1"),), ports=(PortSpec(80, 8001, "", "tcp"),))
    assert lines(wanting(DB, changed), having(running(DB), running(WEB))) == [
        "recreate alice/web: environment, ports changed"
    ]


def test_a_changed_image_is_told_with_the_packages_that_changed() -> None:
    changed = replace(WEB, image="f/web:bbbbbbbbbb", user="www-data")
    found = plan(
        wanting(DB, changed),
        having(running(DB), running(WEB)),
        lambda _observed, _spec: "openssl 1 → 2 and 3 more",
    )
    assert [str(action) for action in found.actions] == [
        "build image web: bbbbbbbb is not on this host",
        "recreate alice/web: image web aaaaaaaa → bbbbbbbb, because openssl 1 → 2 and 3 more; user changed",
    ]


def test_a_changed_dependency_moves_nothing() -> None:
    changed = replace(WEB, depends_on=())
    assert not plan(wanting(DB, changed), having(running(DB), running(WEB)))


def test_a_service_restarts_with_one_that_it_says_it_restarts_with() -> None:
    with_db = replace(WEB, depends_on=(DependencySpec("db", "service_healthy", restart=True),))
    changed = replace(DB, user="mysql")
    assert lines(wanting(changed, with_db), having(running(DB), running(with_db))) == [
        "recreate alice/db: user changed",
        "restart alice/web: db, which it depends on, starts anew",
    ]


def test_an_instance_that_is_gone_is_removed_before_anything_takes_its_ports_and_its_volumes_stay() -> None:
    carol = replace(WEB, name="f.carol.web", instance="carol", networks=(("f.carol.default", ()),))
    bob = replace(carol, name="f.bob.web", instance="bob", networks=(("f.bob.default", ()),))
    assert lines(wanting(DB, WEB, bob), having(running(DB), running(WEB), running(carol))) == [
        "remove network f.carol.default: carol is not placed on this host any more; its volumes stay",
        "remove carol/web: carol is not placed on this host any more; its volumes stay",
        "create network f.bob.default: bob needs it",
        "create bob/web: it is not there",
    ]


def test_a_network_that_an_app_no_longer_has_goes_after_its_containers_have_left_it() -> None:
    before = replace(WEB, networks=(("f.alice.back", ("web",)), *WEB.networks))
    assert lines(wanting(DB, WEB), having(running(DB), running(before))) == [
        "recreate alice/web: networks changed",
        "remove network f.alice.back: alice's app has no such thing any more",
    ]


def test_a_container_that_lost_a_network_is_made_again() -> None:
    cut = running(WEB, networks=())
    assert lines(wanting(DB, WEB), having(running(DB), cut)) == [
        "recreate alice/web: it is not on the networks that it should be on"
    ]


def test_a_stopped_container_whose_network_was_removed_is_made_again() -> None:
    engine = having(running(DB, state="exited"))
    assert lines(wanting(DB), replace(engine, networks=frozenset())) == [
        "create network f.alice.default: alice needs it",
        "recreate alice/db: its network was removed",
    ]


def test_an_image_that_only_running_containers_need_is_not_built() -> None:
    engine = replace(having(running(DB), running(WEB)), images=frozenset())
    assert not plan(wanting(DB, WEB), engine)


SERVICES = ("a", "b", "c", "d")


@st.composite
def fleets(draw: st.DrawFn) -> Desired:
    specs = []
    for instance in draw(st.sets(st.sampled_from(["alice", "bob", "carol"]))):
        chosen = sorted(draw(st.sets(st.sampled_from(SERVICES), min_size=1)))
        for number, service in enumerate(chosen):
            below = draw(st.sets(st.sampled_from(chosen[:number]))) if number else set()
            networks = draw(st.sets(st.sampled_from(["default", "back"]), min_size=1))
            specs.append(
                ContainerSpec(
                    f"f.{instance}.{service}",
                    instance,
                    service,
                    draw(st.sampled_from(["f/x:1", "f/x:2", "f/y:1"])),
                    "x",
                    tuple((f"f.{instance}.{name}", (service,)) for name in sorted(networks)),
                    environment=draw(st.sampled_from([(), (("A", "1"),)])),
                    volumes=draw(st.sampled_from([(), (MountSpec("volume", f"f.{instance}.data", "/d"),)])),
                    depends_on=tuple(
                        DependencySpec(name, "service_started", restart=draw(st.booleans()))
                        for name in sorted(below)
                    ),
                )
            )
    return wanting(*specs)


@given(fleets(), fleets(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_plan_leads_from_anything_to_what_is_desired_and_then_there_is_nothing_to_do(
    before: Desired, after: Desired, data: st.DataObject
) -> None:
    engine = carry_out(plan(before, Engine()), Engine())
    states = st.sampled_from(["running", "exited", "created", "paused", "dead"])
    engine = replace(
        engine,
        containers=tuple(
            replace(one, state=data.draw(states)) for one in engine.containers if data.draw(st.booleans())
        ),
    )
    steps = plan(after, engine)
    done = carry_out(steps, engine)
    assert holds(done, after)
    assert not plan(after, done)
    assert done.volumes >= engine.volumes


@given(fleets(), fleets(), fleets(), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_roll_outs_have_left_aside_a_plan_leads_to_what_is_desired(
    before: Desired, between: Desired, after: Desired, data: st.DataObject
) -> None:
    """Containers stand aside at random, with or without one of another time in their place."""
    old = carry_out(plan(before, Engine()), Engine())
    new = carry_out(plan(between, old), old)
    places = {one.name: one for one in new.containers}
    kept: list[Observed] = []
    for one in old.containers:
        ending = data.draw(st.sampled_from(["", BEFORE, BEFORE, OVER]))
        if ending:
            kept.append(replace(one, id=f"{one.id}-kept", name=one.name + ending, state="exited"))
            if data.draw(st.booleans()):
                places.pop(one.name, None)
    seen = replace(new, containers=(*places.values(), *kept), networks=old.networks | new.networks)
    steps = plan(after, seen)
    done = carry_out(steps, seen)
    assert holds(done, after)
    assert not plan(after, done)


@given(fleets(), fleets(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_plan_cut_short_anywhere_is_completed_by_the_next(
    before: Desired, after: Desired, data: st.DataObject
) -> None:
    engine = carry_out(plan(before, Engine()), Engine())
    steps = plan(after, engine)
    broken = carry_out(steps, engine, upto=data.draw(st.integers(0, len(steps.actions))))
    done = carry_out(plan(after, broken), broken)
    assert holds(done, after)
    assert not plan(after, done)


@given(fleets(), fleets())
@settings(max_examples=200, deadline=None)
def test_nothing_starts_before_what_it_depends_on(before: Desired, after: Desired) -> None:
    engine = carry_out(plan(before, Engine()), Engine())
    steps = [one for one in plan(after, engine).actions if isinstance(one.spec, ContainerSpec)]
    place = {one.subject: number for number, one in enumerate(steps) if one.kind is not Kind.BUILD}
    for one in steps:
        if isinstance(one.spec, ContainerSpec) and one.kind is not Kind.BUILD:
            for dependency in one.spec.depends_on:
                assert place.get(f"{one.spec.instance}/{dependency.service}", -1) < place[one.subject]


@given(fleets())
@settings(max_examples=100, deadline=None)
def test_the_same_definitions_give_the_same_digests(wanted: Desired) -> None:
    assert [digests(one) for one in wanted.containers] == [digests(replace(one)) for one in wanted.containers]
