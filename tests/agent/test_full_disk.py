"""Disks that fill at any moment: the next tick with room makes the host what git says; nothing is lost."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from gitops.agent.space import require_space
from gitops.deploy.host import want
from gitops.system.errors import UserError
from tests.agent.acceptance import Host, host
from tests.small_disk import Disk, small_disk

_MEGABYTES = 400


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Disk]]:
    """Where the host keeps what it remembers, and where its engine keeps everything."""
    top = tmp_path_factory.mktemp("full")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(small_disk(top / where, _MEGABYTES))
            for name, where in (("state", "host"), ("engine", "engine"))
        }


@pytest.fixture(scope="module")
def made(disks: dict[str, Disk], rootfs: bytes) -> Iterator[Host]:
    with host(disks["state"].root.parent, rootfs, 2, disks["engine"].root) as one:
        one.push()
        yield one


@pytest.fixture
def running(made: Host, disks: dict[str, Disk]) -> Iterator[Host]:
    """The host, as git says."""
    assert made.tick()[0] == 0
    made.assert_is()
    yield made
    for disk in disks.values():
        disk.free()


@pytest.mark.parametrize("at", ["accepted commit", "recreate i000/web"])
def test_a_roll_out_goes_on_where_the_host_can_remember_nothing_of_it(
    running: Host, disks: dict[str, Disk], at: str
) -> None:
    before = running.assert_is()
    _move_on(running)
    told = running.tick_and(at, disks["state"].fill)[1]
    assert running.lives().keys() == before.keys(), told
    disks["state"].free()
    assert running.tick()[0] == 0
    assert running.assert_is().keys() == before.keys()


def test_nothing_that_runs_is_stopped_for_what_there_is_no_room_for(
    running: Host, disks: dict[str, Disk]
) -> None:
    before = running.assert_is()
    _move_on(running)
    disks["engine"].fill()
    status, told = running.tick()
    assert status == 1
    assert "0 MB left, so that nothing which runs is replaced" in told
    assert running.lives() == before
    disks["engine"].leave(4 << 20)
    running.api.stop("accepted.i001.web", timeout=1)
    assert running.tick()[0] == 1
    assert _ids(running.lives()) == _ids(before)
    disks["engine"].free()
    assert running.tick()[0] == 0
    running.assert_is()


def test_a_roll_out_that_fills_the_disk_costs_one_instance_and_is_tried_again_when_there_is_room(
    running: Host, disks: dict[str, Disk]
) -> None:
    before = running.assert_is()
    _move_on(running)
    disks["engine"].fill()
    disks["engine"].leave(40 << 20)
    status, told = running.tick_and("recreate i000/web", disks["engine"].fill)
    assert status == 1
    assert "no space left on device" in told
    assert "not touched i001" in told
    assert running.api.inspect_container(before["accepted.i001.web"][0])["State"]["Running"]
    assert "not tried again until there is room" in running.tick()[1]
    disks["engine"].free()
    assert running.tick()[0] == 0
    running.assert_is()


@pytest.mark.parametrize("disk", ["state", "engine"])
def test_a_deployment_whose_disk_fills_goes_on_when_there_is_room(
    running: Host, disks: dict[str, Disk], disk: str
) -> None:
    before = running.assert_is()
    new = f"on-{disk}"
    running.instances = [*running.instances, new]
    running.push()
    running.tick_and(f"create network accepted.{new}.default", disks[disk].fill)
    running.tick()
    assert running.lives(before) == before
    disks[disk].free()
    assert running.tick()[0] == 0
    assert {name: running.assert_is()[name] for name in before} == before


def test_a_fetch_for_which_there_is_no_room_lets_the_host_be_what_it_is(
    running: Host, disks: dict[str, Disk]
) -> None:
    before = running.assert_is()
    running.memory += 1
    running.push()
    disks["state"].fill()
    status, told = running.tick()
    assert status == 1
    assert "No space left" in told
    disks["state"].free()
    assert running.tick()[0] == 0
    assert running.assert_is() == before


@pytest.mark.parametrize("disk", ["state", "engine"])
def test_no_build_is_begun_that_would_fill_a_disk(running: Host, disks: dict[str, Disk], disk: str) -> None:
    fleet = running.fleet
    there = want(fleet.root, "web1", fleet.places)
    absent = replace(there, references={image: f"{name}0" for image, name in there.references.items()})
    require_space(absent, ["tiny"], fleet.engine, fleet.places)
    disks[disk].fill()
    with pytest.raises(UserError, match=rf"on the disk of {disks[disk].root}, where 0\.0 GB are free"):
        require_space(absent, ["tiny"], fleet.engine, fleet.places)
    require_space(there, ["tiny"], fleet.engine, fleet.places)


def _move_on(host: Host) -> None:
    """Let git have another image."""
    host.version = str(int(host.version) + 1)
    host.push()


def _ids(lives: dict[str, tuple[str, str, str]]) -> set[str]:
    return {life[0] for life in lives.values()}
