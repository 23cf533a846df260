import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.deploy.desired import Desired
from gitops.engine.docker import Docker
from gitops.engine.specification import (
    DependencySpec,
    HealthSpec,
    MountSpec,
    PortSpec,
)
from gitops.system.errors import UserError
from tests.deploy.deploying import QUICK, Deployment, blog, go, wanting
from tests.engine_fixtures import container


@pytest.fixture
def engine() -> Iterator[Docker]:
    with Docker() as engine:
        yield engine


def test_two_instances_come_up_in_order_and_a_second_apply_does_nothing(
    engine: Docker, fleet_name: str, image: str
) -> None:
    desired = wanting(fleet_name, *blog(fleet_name, "alice", image), *blog(fleet_name, "bob", image))
    _, told = go(engine, fleet_name, desired)
    for instance in ("alice", "bob"):
        assert told.index(f"create {instance}/db: it is not there") < told.index(
            f"create {instance}/web: it is not there"
        )
    before = Deployment(engine, fleet_name).ids()
    assert not go(engine, fleet_name, desired)[0]
    assert Deployment(engine, fleet_name).ids() == before


def test_a_service_starts_only_when_what_it_depends_on_is_healthy(
    engine: Docker, fleet_name: str, image: str
) -> None:
    db, web = blog(fleet_name, "alice", image)
    check = replace(QUICK, test=("CMD-SHELL", "test -e /data/ready"))
    late = ("sh", "-c", "trap 'exit 0' TERM; sleep 0.5; touch /data/ready; while :; do sleep 0.1; done")
    hasty = ("sh", "-c", "test -e /data/ready || exit 1; while :; do sleep 0.1; done")
    go(
        engine,
        fleet_name,
        wanting(
            fleet_name,
            replace(db, command=late, healthcheck=check),
            replace(web, command=hasty, volumes=db.volumes, restart="no"),
        ),
    )


def test_only_what_changed_is_made_again_and_its_data_stay(
    engine: Docker, fleet_name: str, image: str
) -> None:
    db, web = blog(fleet_name, "alice", image)
    go(engine, fleet_name, wanting(fleet_name, db, web))
    with engine.exec(db.name, ["touch", "/data/post"]) as stream:
        assert stream.wait() == 0
    before = Deployment(engine, fleet_name).ids()
    changed = replace(db, environment=(("A", "1"),))
    _, told = go(engine, fleet_name, wanting(fleet_name, changed, web))
    after = Deployment(engine, fleet_name).ids()
    assert told == ["recreate alice/db: environment changed"]
    assert (before["alice/web"] == after["alice/web"], before["alice/db"] == after["alice/db"]) == (
        True,
        False,
    )
    with engine.exec(db.name, ["test", "-e", "/data/post"]) as stream:
        assert stream.wait() == 0


def test_what_was_deleted_or_stopped_by_hand_comes_back_and_nothing_else_moves(
    engine: Docker, fleet_name: str, image: str
) -> None:
    desired = wanting(fleet_name, *blog(fleet_name, "alice", image))
    go(engine, fleet_name, desired)
    before = Deployment(engine, fleet_name).ids()
    engine.remove(f"{fleet_name}.alice.web")
    assert go(engine, fleet_name, desired)[1] == ["create alice/web: it is not there"]
    assert Deployment(engine, fleet_name).ids()["alice/db"] == before["alice/db"]
    engine.stop(f"{fleet_name}.alice.web")
    assert go(engine, fleet_name, desired)[1] == ["start alice/web: it was stopped by hand or died"]


def test_an_instance_that_is_gone_takes_its_network_along_and_leaves_its_volumes(
    engine: Docker, fleet_name: str, image: str
) -> None:
    alice, bob = blog(fleet_name, "alice", image), blog(fleet_name, "bob", image)
    go(engine, fleet_name, wanting(fleet_name, *alice, *bob))
    go(engine, fleet_name, wanting(fleet_name, *alice))
    assert set(Deployment(engine, fleet_name).ids()) == {"alice/db", "alice/web"}
    assert set(engine.networks(fleet_name, "host").values()) == {"alice"}
    assert engine.volumes(fleet_name, "host") == {f"{fleet_name}.alice.data", f"{fleet_name}.bob.data"}


def test_a_port_moves_from_one_instance_to_another_in_one_apply(
    engine: Docker, fleet_name: str, image: str
) -> None:
    port = 20000 + os.getpid() % 9000 * 2

    def on(*instances: str) -> Desired:
        specs = (
            container(
                fleet_name, f"{name}/web", image, ports=(PortSpec(80, port + number, "127.0.0.1", "tcp"),)
            )
            for number, name in enumerate(instances)
        )
        return wanting(fleet_name, *specs)

    go(engine, fleet_name, on("alice", "bob"))
    go(engine, fleet_name, on("bob", "alice"))
    go(engine, fleet_name, on("carol", "bob"))
    assert set(Deployment(engine, fleet_name).ids()) == {"bob/web", "carol/web"}


def test_an_unhealthy_container_is_named_with_what_its_check_said(
    engine: Docker, fleet_name: str, image: str
) -> None:
    sick = HealthSpec(("CMD-SHELL", "echo no such table; exit 1"), 10**8, 10**9, 1, 0)
    spec = container(fleet_name, "alice/web", image, healthcheck=sick, has_health=True)
    well = container(fleet_name, "bob/web", image)
    with pytest.raises(UserError, match=r"alice/web is unhealthy\n  no such table"):
        go(engine, fleet_name, wanting(fleet_name, spec, well))
    assert "bob/web" in Deployment(engine, fleet_name).ids()
    with pytest.raises(UserError, match="alice/web is unhealthy"):
        go(engine, fleet_name, wanting(fleet_name, spec, well))


def test_a_container_that_keeps_dying_is_named_with_its_last_words(
    engine: Docker, fleet_name: str, image: str
) -> None:
    spec = container(
        fleet_name, "alice/web", image, command=("sh", "-c", "echo no config; exit 4"), restart="no"
    )
    with pytest.raises(UserError, match=r"alice/web is exited \(4\)\n  no config"):
        go(engine, fleet_name, wanting(fleet_name, spec))


def test_one_instances_failure_does_not_keep_the_others_from_starting(
    engine: Docker, fleet_name: str, image: str
) -> None:
    broken = container(fleet_name, "alice/web", image, command=("no-such-program",))
    well = container(fleet_name, "bob/web", image)
    with pytest.raises(UserError, match="no-such-program"):
        go(engine, fleet_name, wanting(fleet_name, broken, well))
    assert {one.subject: one.state for one in engine.containers(fleet_name, "host")}["bob/web"] == "running"


def test_a_service_waits_for_another_to_complete(engine: Docker, fleet_name: str, image: str) -> None:
    data = MountSpec("volume", f"{fleet_name}.alice.data", "/data")
    prepare = container(
        fleet_name,
        "alice/prepare",
        image,
        command=("sh", "-c", "sleep 0.5; touch /data/done"),
        restart="no",
        volumes=(data,),
    )
    depends = (DependencySpec("prepare", "service_completed_successfully"),)
    command = ("sh", "-c", "test -e /data/done || exit 1; while :; do sleep 0.1; done")
    web = container(
        fleet_name, "alice/web", image, command=command, volumes=(data,), depends_on=depends, restart="no"
    )
    go(engine, fleet_name, wanting(fleet_name, prepare, web))
    assert not go(engine, fleet_name, wanting(fleet_name, prepare, web))[0]


def test_missing_images_are_built_before_anything_is_touched(
    engine: Docker, fleet_name: str, import_image: Callable[[str], str]
) -> None:
    spec = container(fleet_name, "alice/web", f"{fleet_name}/busybox:0123456789")
    asked: list[str] = []

    def build(images: Sequence[str]) -> None:
        asked.extend(images)
        assert engine.networks(fleet_name, "host") == {}
        import_image(spec.image)

    go(engine, fleet_name, wanting(fleet_name, spec), build)
    assert asked == ["busybox"]


def test_apply_can_be_killed_anywhere_and_run_again(
    engine: Docker, fleet_name: str, image: str, tmp_path: Path
) -> None:
    """Kill a process that applies, again and again at another moment, over a change that moves everything."""
    program = tmp_path / "applies.py"
    program.write_text(
        "import sys\n"
        "from tests.agent import test_apply as t\n"
        "from gitops.engine.docker import Docker\n"
        "fleet, image, turn = sys.argv[1:]\n"
        "t.go(Docker(), fleet, t.turned(fleet, image, turn))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    go(engine, fleet_name, turned(fleet_name, image, "0"))
    with engine.exec(f"{fleet_name}.alice.db", ["touch", "/data/post"]) as stream:
        assert stream.wait() == 0
    volumes = engine.volumes(fleet_name, "host")
    for turn in range(1, 7):
        process = subprocess.Popen(
            [sys.executable, program, fleet_name, image, str(turn)], env=environment, stderr=subprocess.PIPE
        )
        time.sleep(0.3 + secrets.randbelow(1700) / 1000)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    desired = turned(fleet_name, image, "7")
    go(engine, fleet_name, desired)
    assert sorted(Deployment(engine, fleet_name).ids()) == sorted(one.subject for one in desired.containers)
    assert set(engine.networks(fleet_name, "host")) == {one.name for one in desired.networks}
    assert engine.volumes(fleet_name, "host") >= volumes
    assert not go(engine, fleet_name, desired)[0]
    with engine.exec(f"{fleet_name}.alice.db", ["test", "-e", "/data/post"]) as stream:
        assert stream.wait() == 0


def turned(fleet: str, image: str, turn: str) -> Desired:
    """Give a fleet in which every turn changes every container, and every other one has one instance more."""
    names = ("alice", "bob") if int(turn) % 2 else ("alice", "carol")
    specs = [
        replace(one, environment=(("TURN", turn),)) for name in names for one in blog(fleet, name, image)
    ]
    return wanting(fleet, *specs)
