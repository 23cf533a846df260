"""A throw-away instance: beside the real one without touching it, and gone whatever becomes of its owner."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from docker.api.client import APIClient

from gitops.agent.generation import current
from gitops.deploy.desired import Desired, Placed
from gitops.deploy.duplicate import Copy, copy_of
from gitops.deploy.host import look, want
from gitops.deploy.orphans import orphans
from gitops.deploy.plan import plan
from gitops.deploy.swept import abandoned, sweep
from gitops.deploy.throwaway import throw_away
from gitops.engine.leftovers import Leftovers
from gitops.engine.specification import ContainerSpec, MountSpec, PortSpec
from gitops.system.errors import UserError
from tests.agent.conftest import APP, LOOP, FleetOnDisk

_HOLD = """
import sys, time
from pathlib import Path
from gitops.deploy.duplicate import copy_of
from gitops.deploy.host import want
from gitops.deploy.throwaway import throw_away
from gitops.engine.docker import Docker
from gitops.system.places import places
wanted = want(Path(sys.argv[1]), None, places())
copy = copy_of(wanted.desired, "alice", wanted.fleet.settings.name, wanted.host)
with throw_away(copy, Docker(), places()) as made:
    made.start(["db"])
    print("up", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def applied(fleet: FleetOnDisk, api: APIClient) -> Iterator[FleetOnDisk]:
    """A fleet whose two instances run; what tests leave of copies goes as well."""
    fleet.apply()
    yield fleet
    sweep(fleet.engine, fleet.places)
    assert _everything(api, fleet) == []


def _copy(fleet: FleetOnDisk) -> Copy:
    wanted = want(fleet.root, None, fleet.places)
    return copy_of(wanted.desired, "alice", fleet.name, "web1")


def _everything(api: APIClient, fleet: FleetOnDisk) -> list[str]:
    """Name all that the engine has of throw-away instances."""
    filters = {"label": f"gitops.fleet={fleet.name}.drill"}
    return sorted(
        [
            *(one["Names"][0].lstrip("/") for one in api.containers(all=True, filters=filters)),
            *(one["Name"] for one in api.networks(filters=filters)),
            *(one["Name"] for one in api.volumes(filters=filters)["Volumes"] or ()),
        ]
    )


@contextmanager
def _held(fleet: FleetOnDisk) -> Iterator["subprocess.Popen[bytes]"]:
    """Let another process have a throw-away instance, a service of which runs."""
    with subprocess.Popen([sys.executable, "-c", _HOLD, fleet.root], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_copy_publishes_nothing_writes_to_no_directory_and_shows_no_labels() -> None:
    real = ContainerSpec(
        name="fleet.alice.web",
        instance="alice",
        service="web",
        image="fleet/tiny:1",
        image_name="tiny",
        networks=(("fleet.alice.default", ("web",)),),
        ports=(PortSpec(80, 8001, "0.0.0.0", "tcp"),),  # noqa: S104  # what must not be published
        volumes=(MountSpec("volume", "fleet.alice.data", "/data"), MountSpec("bind", "/srv", "/srv")),
        labels=(("proxy.host", "alice.example.org"),),
        mem_limit=1 << 26,
        restart="always",
    )
    other = ContainerSpec("fleet.bob.web", "bob", "web", "fleet/tiny:1", "tiny", ())
    (made,) = copy_of(Desired((real, other), placed={"alice": Placed()}), "alice", "fleet", "web1").containers
    assert (made.name, made.ports, made.labels) == ("fleet.drill.alice.web", (), ())
    assert made.networks == (("fleet.drill.alice.default", ("web",)),)
    assert [(mount.source, mount.read_only) for mount in made.volumes] == [
        ("fleet.drill.alice.data", False),
        ("/srv", True),
    ]
    assert (made.image, made.mem_limit, made.restart) == (real.image, real.mem_limit, "on-failure:5")


def test_a_copy_runs_beside_the_real_instance_which_notices_nothing(
    applied: FleetOnDisk, api: APIClient
) -> None:
    before = applied.running()
    with throw_away(_copy(applied), applied.engine, applied.places) as made:
        made.start(["web"])  # and db, which it depends on
        made.prove(["db", "web"])
        names = _everything(api, applied)
        own = f"{applied.name}.drill.alice"
        assert names == [f"{own}.data", f"{own}.db", f"{own}.default", f"{own}.web"]
        assert api.inspect_network(f"{own}.default")["Internal"]
        wanted = want(current(applied.places).path, None, applied.places)
        seen = look(applied.engine, wanted, applied.places)
        assert not plan(wanted.desired, seen)
        with Leftovers() as leftovers:
            assert not orphans(wanted.desired, seen.containers, leftovers.volumes(applied.name, "web1"))
        assert not applied.apply()[0]
    assert applied.running() == before
    assert _everything(api, applied) == []


def test_a_copy_goes_when_its_owner_fails(applied: FleetOnDisk, api: APIClient) -> None:
    with pytest.raises(UserError, match="broken"), throw_away(_copy(applied), applied.engine, applied.places):
        raise UserError("broken")
    assert _everything(api, applied) == []


def test_a_copy_whose_owner_was_killed_is_swept_away_and_one_whose_owner_lives_is_not(
    applied: FleetOnDisk, api: APIClient
) -> None:
    told: list[str] = []
    with _held(applied) as owner:
        sweep(applied.engine, applied.places, told.append)
        assert not abandoned(applied.places)
        assert len(_everything(api, applied)) == 3
        with (
            pytest.raises(UserError, match="in use"),
            throw_away(_copy(applied), applied.engine, applied.places, wait=0),
        ):
            pass
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        assert (len(_everything(api, applied)), told) == (3, [])
        assert abandoned(applied.places)
        sweep(applied.engine, applied.places, told.append)
    assert _everything(api, applied) == []
    assert told == ["removed a throw-away instance, whose drill has died"]


def test_what_a_dead_owner_asked_for_is_looked_for_until_a_minute_has_passed(
    applied: FleetOnDisk, api: APIClient
) -> None:
    with _held(applied) as owner:
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    sweep(applied.engine, applied.places)
    applied.engine.ensure_network(_copy(applied).networks[0], f"{applied.name}.drill", "web1")
    assert abandoned(applied.places)
    sweep(applied.engine, applied.places)
    assert _everything(api, applied) == []
    sweep(applied.engine, applied.places)
    assert abandoned(applied.places)
    note = applied.places.state / "throw-away"
    os.utime(note, (note.stat().st_atime, note.stat().st_mtime - 61))
    sweep(applied.engine, applied.places)
    assert not abandoned(applied.places)


def test_the_next_copy_sweeps_away_what_a_killed_one_has_left(applied: FleetOnDisk, api: APIClient) -> None:
    with _held(applied) as owner:
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    with throw_away(_copy(applied), applied.engine, applied.places):
        assert not [name for name in _everything(api, applied) if name.endswith(".db")]


def test_a_service_that_ends_or_is_ill_is_not_called_well(fleet: FleetOnDisk) -> None:
    head, found, tail = APP.partition("  web:\n")
    fleet.write("apps/blog.yaml", f"{head}{found}{tail.replace(repr(LOOP), repr('true'))}")
    fleet.commit()
    for reference in want(fleet.root, None, fleet.places).references.values():
        fleet.import_image(reference)
    with throw_away(_copy(fleet), fleet.engine, fleet.places) as made:
        made.start(["web"])
        made.prove(["db"])
        with pytest.raises(UserError, match=r"web is (exited \(0\)|dying)"):
            made.prove(["web"])


def test_a_note_that_names_a_real_fleet_removes_nothing(applied: FleetOnDisk) -> None:
    note = applied.places.state / "throw-away"
    note.write_text(f'{{"fleet": "{applied.name}", "host": "web1"}}')
    before = applied.running()
    with pytest.raises(UserError, match="no throw-away instance"):
        sweep(applied.engine, applied.places)
    assert applied.running() == before
    note.write_text("")
