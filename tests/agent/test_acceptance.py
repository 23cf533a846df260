"""What a host with many instances must take, each with the agent killed in the middle of it."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.agent.acceptance import Host, host

_COUNT = int(os.environ.get("ACCEPTANCE_INSTANCES") or 12)
_BATCH = -(-_COUNT // 10)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, rootfs: bytes) -> Iterator[Host]:
    """A host of ACCEPTANCE_INSTANCES instances, whose first deployment was killed in the middle."""
    with host(tmp_path_factory.mktemp("acceptance"), rootfs, _COUNT) as one:
        one.push()
        one.kill_tick(at=f"create i{_COUNT // 2:03}/web")
        yield one


@pytest.fixture
def deployed(made: Host) -> Host:
    """That host, as a good commit says, with nothing left to do."""
    made.health = "true"
    made.push()
    status, told = made.tick()
    assert status == 0, told
    assert made.tick()[1].endswith("nothing to do\n")
    made.assert_is()
    return made


def test_a_merged_update_of_a_package_rolls_over_all_by_batches(deployed: Host) -> None:
    before = deployed.assert_is()
    deployed.version = "2"
    deployed.push()
    deployed.kill_tick(at="recreate ")
    status, told = deployed.tick()
    assert status == 0
    assert "because curl 1 → 2" in told
    after = deployed.assert_is()
    assert not {life[0] for life in before.values()} & {life[0] for life in after.values()}
    assert _most_at_once(deployed) == _BATCH
    assert deployed.status()["exit"] == 0


def test_a_broken_image_takes_down_its_first_batch_alone_and_everything_says_so(deployed: Host) -> None:
    before = deployed.assert_is()
    (image,) = {life[1] for life in before.values()}
    deployed.health = "false"
    deployed.push()
    deployed.kill_tick(at="recreate ")
    status, told = deployed.tick()
    assert status == 1
    assert "unhealthy" in told
    after = deployed.assert_is(image=image)
    assert {life[0] for life in before.values()} == {life[0] for life in after.values()}
    touched = [name for name in before if before[name] != after[name]]
    assert 0 < len(touched) <= _BATCH
    said = deployed.status()
    assert said["exit"] == 1
    assert not said["well"]
    notes = [one["note"] for one in said["containers"]]
    assert len([note for note in notes if note.startswith("rolled back")]) == len(touched)
    assert len([note for note in notes if note.startswith("not touched")]) == _COUNT - len(touched)
    assert deployed.tick()[0] == 1
    assert deployed.assert_is(image=image) == after


def test_a_limit_changes_on_containers_that_live_on(deployed: Host) -> None:
    before = deployed.assert_is()
    deployed.memory += 1
    deployed.push()
    deployed.kill_tick(at="update limits ")
    assert deployed.tick()[0] == 0
    assert deployed.assert_is() == before
    limits = {deployed.api.inspect_container(name)["HostConfig"]["Memory"] for name in before}
    assert limits == {deployed.memory << 20}


def test_all_instances_stand_on_one_image_that_is_stored_once(deployed: Host) -> None:
    lives = deployed.assert_is()
    drivers = [deployed.api.inspect_container(name)["GraphDriver"] for name in lives]
    assert {one["Name"] for one in drivers} == {"overlay2"}
    # The first of its lower layers is a container's own, with /etc/hosts and the like; below it is the image.
    below = {one["Data"]["LowerDir"].partition(":")[2] for one in drivers}
    assert len(below) == 1
    assert below != {""}
    own = {
        one["Names"][0].removeprefix("/"): one.get("SizeRw", 0) for one in deployed.api.containers(size=True)
    }
    assert max(own[name] for name in lives) < 100_000


def test_an_instance_that_git_drops_goes_and_its_data_stay_and_are_listed(deployed: Host) -> None:
    leaving = deployed.instances[-1]
    volume = f"accepted.{leaving}.data"
    precious = Path(deployed.api.inspect_volume(volume)["Mountpoint"]) / "precious"
    precious.write_text("precious")
    deployed.instances = deployed.instances[:-1]
    try:
        deployed.push()
        deployed.kill_tick(at=f"remove {leaving}/web")
        assert deployed.tick()[0] == 0
        deployed.assert_is()
        assert precious.read_text() == "precious"
        assert volume in deployed.gitops("volume", "list")[1]
    finally:
        deployed.instances = [*deployed.instances, leaving]


def test_a_commit_that_nobody_signed_changes_nothing(deployed: Host) -> None:
    before = deployed.assert_is()
    deployed.memory += 1
    bad = deployed.push(signed=False)
    deployed.kill_tick(at=f"refused: commit {bad[:12]} is not signed")
    status, told = deployed.tick()
    assert status == 1
    assert f"refused: commit {bad[:12]} is not signed" in told
    assert deployed.lives() == before
    assert any(bad[:12] in note for note in deployed.status()["notes"])


def test_a_branch_that_was_rewritten_changes_nothing(deployed: Host) -> None:
    before, good = deployed.assert_is(), deployed.server.git("rev-parse", "HEAD")
    deployed.server.git("checkout", "--quiet", "--orphan", "new")
    deployed.memory += 1
    bad = deployed.push()
    deployed.server.git("branch", "--force", "main", bad)
    try:
        deployed.kill_tick(at="does not stand on")
        status, told = deployed.tick()
        assert status == 1
        assert f"refused: commit {bad[:12]} does not stand on" in told
        assert deployed.lives() == before
    finally:
        deployed.server.git("checkout", "--quiet", "--force", "-B", "main", good)


def _most_at_once(host: Host) -> int:
    """Give how many containers the newest turn changed side by side."""
    (newest,) = json.loads(host.gitops("history", "--json", "--limit", "1")[1])["turns"]
    steps = json.loads(host.gitops("history", "show", str(newest["number"]), "--json")[1])["actions"]
    spans = [
        (datetime.fromisoformat(one["started"]), datetime.fromisoformat(one["ended"]))
        for one in steps
        if one["action"] == "recreate"
    ]
    return max(sum(began <= at < ended for began, ended in spans) for at, _ in spans)
