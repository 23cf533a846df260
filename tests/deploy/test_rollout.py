"""What becomes of running instances when git says another thing; on the real engine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker.api.client import APIClient

from demo.stage import free_ports
from gitops.deploy.action import Kind, Result
from gitops.deploy.applied import Applied
from gitops.deploy.failures import Failures
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, DependencySpec, HealthSpec, MountSpec, PortSpec
from gitops.fleet.rollout import Rollout
from gitops.system.errors import UserError
from tests.database_fixtures import until
from tests.deploy.deploying import AT_ONCE, QUICK, READY_LATE, Deployment, blog, wanting
from tests.engine_fixtures import container

SICK = HealthSpec(("CMD-SHELL", "echo no such table; exit 1"), 10**8, 10**9, 1, 0)
DIES = ("sh", "-c", "echo no config; exit 4")


@pytest.fixture
def host(fleet_name: str, tmp_path: Path) -> Iterator[Deployment]:
    with Docker() as engine:
        yield Deployment(engine, fleet_name, tmp_path)


def webs(host: Deployment, image: str, *names: str, **fields: object) -> list[ContainerSpec]:
    return [container(host.fleet, f"{name}/web", image, **fields) for name in names]


def results(applied: Applied) -> dict[str, Result]:
    return {one.action.subject: one.result for one in applied.outcomes}


def test_what_is_not_well_goes_and_what_was_there_before_runs_on(host: Deployment, image: str) -> None:
    db, web = blog(host.fleet, "alice", image)
    host.apply(wanting(host.fleet, db, web))
    before = host.ids()
    broken = wanting(host.fleet, replace(db, user="0"), replace(web, healthcheck=SICK, has_health=True))
    _, applied = host.apply(broken)
    assert results(applied) == {"alice/db": Result.ROLLED_BACK, "alice/web": Result.ROLLED_BACK}
    assert str(applied.problems[0]) == "alice/web is unhealthy\n  no such table"
    assert host.ids() == before
    assert host.states() == {"alice.db": "running", "alice.web": "running"}


def test_what_failed_is_not_tried_again_until_git_changes_and_every_plan_says_so(
    host: Deployment, image: str
) -> None:
    host.apply(wanting(host.fleet, *webs(host, image, "alice")))
    broken = wanting(host.fleet, *webs(host, image, "alice", command=DIES))
    host.apply(broken)
    before = host.ids()
    plan = host.plan(broken)
    assert not plan
    assert [(one.instance, one.result) for one in plan.held] == [("alice", Result.ROLLED_BACK)]
    assert "dying again and again" in plan.held[0].reason
    assert set(plan.held[0].said.splitlines()) == {"no config"}  # of a container that is gone
    host.apply(broken)
    assert host.ids() == before
    plan, applied = host.apply(wanting(host.fleet, *webs(host, image, "alice", user="0")))
    assert not plan.held
    assert results(applied) == {"alice/web": Result.DONE}
    assert Failures(host.state).read() == {}


def test_losing_the_memory_of_a_failure_costs_one_more_try(host: Deployment, image: str) -> None:
    host.apply(wanting(host.fleet, *webs(host, image, "alice")))
    broken = wanting(host.fleet, *webs(host, image, "alice", command=DIES))
    host.apply(broken)
    Failures(host.state).clear("alice")
    _, applied = host.apply(broken)
    assert results(applied) == {"alice/web": Result.ROLLED_BACK}
    assert not host.plan(broken)


def test_a_service_that_stands_still_in_a_failed_instance_is_started_as_it_was(
    host: Deployment, image: str
) -> None:
    host.apply(wanting(host.fleet, *webs(host, image, "alice")))
    broken = wanting(host.fleet, *webs(host, image, "alice", command=DIES))
    host.apply(broken)
    before = host.ids()
    host.engine.stop(before["alice/web"])
    until(lambda: host.states()["alice.web"] == "exited")  # Docker 26 lists it as running for an instant
    steps, _ = host.apply(broken)
    assert [one.kind for one in steps.actions] == [Kind.START]
    assert (host.ids(), host.states()) == (before, {"alice.web": "running"})


def test_the_first_bad_batch_is_the_last_and_the_rest_is_not_touched(host: Deployment, image: str) -> None:
    names = [f"i{number}" for number in range(6)]
    rollout = Rollout(wait=3, batch="34%")
    host.apply(wanting(host.fleet, *webs(host, image, *names), rollout=rollout))
    before = host.ids()
    broken = wanting(host.fleet, *webs(host, image, *names, command=DIES), rollout=rollout)
    host.engine.stop(f"{host.fleet}.i5.web")  # as a reboot would have: it is not left so
    _, applied = host.apply(broken)
    found = results(applied)
    assert [name for name, result in found.items() if result is Result.ROLLED_BACK] == [
        "i0/web",
        "i1/web",
        "i2/web",
    ]
    untouched = [one for one in applied.outcomes if one.result is Result.NOT_TOUCHED]
    assert {one.reason for one in untouched} == {"the roll-out of blog stopped, because i0 and 2 more failed"}
    assert host.ids() == before
    assert set(host.states().values()) == {"running"}
    plan = host.plan(broken)
    assert not plan
    assert [one.result for one in plan.held] == [Result.ROLLED_BACK] * 3 + [Result.NOT_TOUCHED] * 3


def test_as_many_as_the_app_allows_may_fail_and_the_others_still_change(host: Deployment, image: str) -> None:
    rollout = Rollout(wait=3, batch="1", max_failures=1)
    host.apply(wanting(host.fleet, *webs(host, image, "a", "b", "c"), rollout=rollout))
    specs = [*webs(host, image, "a", command=DIES), *webs(host, image, "b", "c", user="0")]
    _, applied = host.apply(wanting(host.fleet, *specs, rollout=rollout))
    assert results(applied) == {"a/web": Result.ROLLED_BACK, "b/web": Result.DONE, "c/web": Result.DONE}


def test_a_batch_is_well_before_the_next_begins(host: Deployment, image: str) -> None:
    rollout = Rollout(wait=0.5, batch="1")
    fields = {"healthcheck": QUICK, "has_health": True, "command": READY_LATE}
    host.apply(wanting(host.fleet, *webs(host, image, "a", "b"), rollout=rollout))
    seen: list[str] = []

    def tell(line: str) -> None:
        if line.startswith("recreate b/web"):
            seen.extend(one.health for one in host.containers() if one.subject == "a/web")

    host.told = _Told(tell)
    host.apply(wanting(host.fleet, *webs(host, image, "a", "b", **fields), rollout=rollout))
    assert seen == ["healthy"]


class _Told(list[str]):
    def __init__(self, tell: object) -> None:
        super().__init__()
        self._tell = tell

    def append(self, line: str) -> None:
        self._tell(line)  # type: ignore[operator]  # a function, as above


def test_instances_that_are_new_do_not_wait_for_batches(host: Deployment, image: str) -> None:
    rollout = Rollout(wait=60, batch="1")
    _, applied = host.apply(wanting(host.fleet, *webs(host, image, "a", "b", "c"), rollout=rollout))
    assert set(results(applied).values()) >= {Result.DONE}
    assert host.states() == {"a.web": "running", "b.web": "running", "c.web": "running"}


def test_pause_leaves_what_failed_and_what_was_before_beside_it_for_a_person_to_look_at(
    host: Deployment, image: str
) -> None:
    rollout = Rollout(wait=0.5, on_failure="pause")
    host.apply(wanting(host.fleet, *webs(host, image, "alice"), rollout=rollout))
    mended = HealthSpec(("CMD-SHELL", "test -e /tmp/mended"), 10**8, 10**9, 1, 0)
    sick = webs(host, image, "alice", healthcheck=mended, has_health=True)
    broken = wanting(host.fleet, *sick, rollout=rollout)
    _, applied = host.apply(broken)
    assert results(applied) == {"alice/web": Result.FAILED}
    assert host.states() == {"alice.web": "running", "alice.web.before": "exited"}
    plan = host.plan(broken)
    assert (bool(plan), [one.result for one in plan.held]) == (False, [Result.FAILED])
    with host.engine.exec(sick[0].name, ["touch", "/tmp/mended"]) as stream:  # noqa: S108  # in the container
        stream.wait()
    assert host.engine.wait_healthy(sick[0].name, 30)[0] in {"healthy", "unhealthy"}
    while host.containers()[0].health != "healthy":
        pass
    host.apply(broken)
    assert host.states() == {"alice.web": "running"}
    assert not host.plan(broken).held


def test_after_a_pause_git_can_go_back_to_what_is_still_there(host: Deployment, image: str) -> None:
    rollout = Rollout(wait=3, on_failure="pause")
    good = wanting(host.fleet, *webs(host, image, "alice"), rollout=rollout)
    host.apply(good)
    before = host.ids()
    host.apply(wanting(host.fleet, *webs(host, image, "alice", command=DIES), rollout=rollout))
    steps, _ = host.apply(good)
    assert [str(one) for one in steps.actions] == ["put back alice/web: git says again what it was"]
    assert (host.ids(), host.states()) == (before, {"alice.web": "running"})


def test_a_rollback_that_fails_is_told_as_that_and_tried_again(host: Deployment, image: str) -> None:
    """The old container leaves a sign in its volume, and cannot live once there are two of them."""
    data = MountSpec("volume", f"{host.fleet}.alice.data", "/data")
    once = ("sh", "-c", "test ! -e /data/broken || exit 3; while :; do sleep 0.1; done")
    breaks = ("sh", "-c", "touch /data/broken; exit 4")
    host.apply(wanting(host.fleet, *webs(host, image, "alice", volumes=(data,), command=once)))
    broken = wanting(host.fleet, *webs(host, image, "alice", volumes=(data,), command=breaks))
    _, applied = host.apply(broken)
    assert results(applied) == {"alice/web": Result.ROLLBACK_FAILED}
    assert "going back failed, too: alice/web, as it was before, is" in applied.outcomes[-1].reason
    assert [one.result for one in host.plan(broken).held] == [Result.ROLLBACK_FAILED]
    assert set(host.states()) == {"alice.web"}


def test_start_first_lets_the_old_one_run_until_the_new_one_is_well(host: Deployment, image: str) -> None:
    rollout = Rollout(wait=0.5, order="start-first")
    host.apply(wanting(host.fleet, *webs(host, image, "alice"), rollout=rollout))
    check = HealthSpec(("CMD-SHELL", "test -e /tmp/ready"), 10**8, 10**9, 50, 0)
    slow = ("sh", "-c", "trap 'exit 0' TERM; sleep 1.5; touch /tmp/ready; while :; do sleep 0.1; done")
    fields = {"healthcheck": check, "has_health": True, "command": slow}
    new = wanting(host.fleet, *webs(host, image, "alice", **fields), rollout=rollout)
    seen: list[dict[str, str]] = []
    prove = host.engine.prove

    def looking(*args: object) -> object:
        seen.append(host.states())
        return prove(*args)  # type: ignore[arg-type]  # passed on as they are

    host.engine.prove = looking  # type: ignore[assignment, method-assign]  # to look in the middle
    host.apply(new)
    assert seen == [{"alice.web": "running", "alice.web.before": "running"}]
    assert host.states() == {"alice.web": "running"}


def test_what_writes_to_a_volume_never_runs_twice(host: Deployment, image: str) -> None:
    rollout = Rollout(wait=0.5, order="start-first")
    data = MountSpec("volume", f"{host.fleet}.alice.data", "/data")
    alone = (
        "sh",
        "-c",
        "trap 'rm /data/lock; exit 0' TERM; set -C; : > /data/lock; while :; do sleep 0.1; done",
    )
    fields = {"volumes": (data,), "command": alone}
    host.apply(wanting(host.fleet, *webs(host, image, "alice", **fields), rollout=rollout))
    changed = webs(host, image, "alice", hostname="other", **fields)
    _, applied = host.apply(wanting(host.fleet, *changed, rollout=rollout))
    assert results(applied)["alice/web"] is Result.DONE


def test_limits_change_while_the_container_lives(host: Deployment, image: str, api: APIClient) -> None:
    mega = 1 << 20
    host.apply(wanting(host.fleet, *webs(host, image, "alice", mem_limit=64 * mega, cpus=0.5)))
    (name,) = (one.name for one in host.containers())
    before = api.inspect_container(name)

    def to(mem: int, **fields: object) -> list[str]:
        desired = wanting(host.fleet, *webs(host, image, "alice", mem_limit=mem * mega, **fields))
        steps, applied = host.apply(desired)
        assert not applied.problems
        assert not host.plan(desired)
        after = api.inspect_container(name)
        assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
        assert after["HostConfig"]["Memory"] == mem * mega
        return [str(one) for one in steps.actions]

    assert to(256, cpus=0.25, pids_limit=50) == [
        "update limits alice/web: cpus, mem_limit, pids_limit changed"
    ]
    assert to(32, cpus=0.25) == ["update limits alice/web: mem_limit, pids_limit changed"]
    assert to(64, cpus=0.5) == ["update limits alice/web: cpus, mem_limit changed"]
    assert api.inspect_container(name)["HostConfig"]["NanoCpus"] == 500_000_000


def test_limits_that_nobody_remembers_are_asked_for(
    host: Deployment, image: str, api: APIClient, tmp_path: Path
) -> None:
    small, large = (wanting(host.fleet, *webs(host, image, "a", mem_limit=mem << 20)) for mem in (32, 64))
    host.apply(small)
    host.apply(large)
    (tmp_path / "limits.json").unlink()
    assert not host.plan(large)
    steps, _ = host.apply(small)
    assert [one.kind for one in steps.actions] == [Kind.UPDATE]
    assert api.inspect_container(f"{host.fleet}.a.web")["HostConfig"]["Memory"] == 32 << 20


def test_a_limit_that_the_engine_cannot_take_away_makes_a_new_container(host: Deployment, image: str) -> None:
    host.apply(wanting(host.fleet, *webs(host, image, "alice", mem_limit=64 << 20)))
    steps, _ = host.apply(wanting(host.fleet, *webs(host, image, "alice")))
    assert [str(one) for one in steps.actions] == ["recreate alice/web: mem_limit changed"]


def test_ports_that_move_between_instances_move_together_and_come_back_together(
    host: Deployment, image: str
) -> None:
    free_port, _ = free_ports(20000 + os.getpid() % 9000)

    def on(*ports: int, **fields: object) -> list[ContainerSpec]:
        return [
            container(
                host.fleet, f"{name}/web", image, ports=(PortSpec(80, port, "127.0.0.1", "tcp"),), **fields
            )
            for name, port in zip(("alice", "bob"), ports, strict=True)
        ]

    rollout = Rollout(wait=3, batch="1")
    host.apply(wanting(host.fleet, *on(free_port, free_port + 1), rollout=rollout))
    before = host.ids()
    broken = on(free_port + 1, free_port)
    broken[1] = replace(broken[1], command=DIES)
    _, applied = host.apply(wanting(host.fleet, *broken, rollout=rollout))
    assert set(results(applied).values()) == {Result.ROLLED_BACK}
    assert (host.ids(), set(host.states().values())) == (before, {"running"})
    _, applied = host.apply(wanting(host.fleet, *on(free_port + 1, free_port), rollout=rollout))
    assert set(results(applied).values()) == {Result.DONE}


def test_a_service_that_an_app_gives_up_comes_back_with_it(host: Deployment, image: str) -> None:
    db, web = blog(host.fleet, "alice", image)
    cache = container(host.fleet, "alice/cache", image)
    host.apply(wanting(host.fleet, db, cache, web))
    before = host.ids()
    added = container(host.fleet, "alice/queue", image)
    broken = wanting(host.fleet, db, added, replace(web, command=DIES, depends_on=()))
    _, applied = host.apply(broken)
    assert results(applied)["alice/cache"] is Result.ROLLED_BACK
    assert host.ids() == before
    host.apply(wanting(host.fleet, db, added, replace(web, user="0")))
    assert set(host.states()) == {"alice.db", "alice.queue", "alice.web"}


def test_a_service_restarts_again_when_what_it_depends_on_goes_back(
    host: Deployment, image: str, api: APIClient
) -> None:
    db, web = blog(host.fleet, "alice", image)
    web = replace(web, depends_on=(DependencySpec("db", "service_started", restart=True),))
    host.apply(wanting(host.fleet, db, web))
    began = api.inspect_container(web.name)["State"]["StartedAt"]
    host.apply(wanting(host.fleet, replace(db, command=DIES, healthcheck=None), web))
    assert host.states() == {"alice.db": "running", "alice.web": "running"}
    assert api.inspect_container(web.name)["State"]["StartedAt"] > began


@pytest.mark.parametrize("restart", ["always", "on-failure:3"])
def test_an_engine_that_starts_anew_does_not_start_what_stands_aside(
    host: Deployment, image: str, api: APIClient, restart: str
) -> None:
    rollout = Rollout(wait=3, on_failure="pause")
    good = wanting(host.fleet, *webs(host, image, "alice", restart=restart), rollout=rollout)
    host.apply(good)

    def policy(name: str) -> str:
        found = api.inspect_container(f"{host.fleet}.{name}")["HostConfig"]["RestartPolicy"]
        return f"{found['Name']}:{found['MaximumRetryCount']}"

    before = policy("alice.web")
    host.apply(wanting(host.fleet, *webs(host, image, "alice", command=DIES), rollout=rollout))
    assert policy("alice.web.before") == "no:0"
    host.apply(good)
    assert policy("alice.web") == before


def test_what_cannot_be_built_is_told_and_nothing_is_touched(host: Deployment, image: str) -> None:
    host.apply(wanting(host.fleet, *webs(host, image, "alice")))
    before = host.ids()
    new = wanting(host.fleet, *webs(host, f"{host.fleet}/busybox:none", "alice"))

    def build(_images: object) -> None:
        raise UserError("the build failed", hint="no space left")

    _, applied = host.apply(new, build)
    assert results(applied) == {"busybox": Result.FAILED, "alice/web": Result.NOT_TOUCHED}
    assert host.ids() == before
    assert not host.plan(new).held


def test_a_failure_keeps_a_containers_last_words_apart_from_its_reason(host: Deployment, image: str) -> None:
    host.apply(wanting(host.fleet, *webs(host, image, "alice")))
    loud = ("sh", "-c", "echo hunter2; exit 4")
    broken = wanting(host.fleet, *webs(host, image, "alice", command=loud), rollout=AT_ONCE)
    _, applied = host.apply(broken)
    assert "hunter2" in applied.problems[0].hint
    held = host.plan(broken).held
    assert "hunter2" not in "".join([*(one.reason for one in applied.outcomes), *map(str, held)])
    assert "hunter2" in held[0].said
