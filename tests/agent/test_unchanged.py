import subprocess
import sys

import pytest
from docker.api.client import APIClient

from gitops.agent.unchanged import clean_commit, still_so
from gitops.engine.held import hold
from gitops.system.errors import UserError
from tests.agent.conftest import APP, LOOP, FleetOnDisk


@pytest.fixture
def settled(fleet: FleetOnDisk) -> FleetOnDisk:
    """A host on which an apply has found nothing to do."""
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    fleet.commit()
    fleet.apply()
    assert so(fleet) is None
    fleet.apply()
    return fleet


def so(fleet: FleetOnDisk) -> str | None:
    found = still_so(clean_commit(fleet.root), None, fleet.engine, fleet.places)
    assert not found or not found.error
    return found.host if found else None


def test_a_host_that_is_as_it_was_made_is_told_quickly(settled: FleetOnDisk) -> None:
    assert so(settled) == "web1"


def test_a_new_commit_is_worked_out(settled: FleetOnDisk) -> None:
    settled.commit()
    assert so(settled) is None


def test_a_file_that_is_not_committed_is_worked_out(settled: FleetOnDisk) -> None:
    settled.write("apps/new.yaml", "")
    assert so(settled) is None


def test_a_container_that_was_stopped_or_removed_is_seen(settled: FleetOnDisk) -> None:
    settled.engine.stop(f"{settled.name}.alice.web")
    assert so(settled) is None
    settled.engine.remove(f"{settled.name}.alice.web")
    assert so(settled) is None
    settled.apply()
    settled.apply()
    assert so(settled) == "web1"


def test_a_container_that_lost_its_network_is_seen(settled: FleetOnDisk, api: APIClient) -> None:
    api.disconnect_container_from_network(f"{settled.name}.alice.web", f"{settled.name}.alice.default")
    assert so(settled) is None


def test_a_schedule_that_was_changed_by_hand_is_seen(settled: FleetOnDisk) -> None:
    settled.places.cron.mkdir(parents=True, exist_ok=True)
    (settled.places.cron / f"gitops-{settled.name}").write_text("* * * * * root true\n")
    assert so(settled) is None


def test_losing_the_cache_costs_only_time(settled: FleetOnDisk) -> None:
    for path in (settled.places.cache / "unchanged").iterdir():
        path.write_text("{")
    assert so(settled) is None
    steps, _ = settled.apply()
    assert not steps
    assert so(settled) == "web1"


def test_a_service_that_has_ended_well_needs_no_longer_look(settled: FleetOnDisk) -> None:
    settled.write(
        "apps/blog.yaml", APP + '  once:\n    image: tiny\n    command: "true"\n    restart: "no"\n'
    )
    settled.commit()
    settled.apply()
    settled.apply()
    assert so(settled) == "web1"
    settled.engine.stop(f"{settled.name}.alice.web")
    assert so(settled) is None


def test_a_failure_is_told_quickly_until_somebody_lets_it_be_tried_again(settled: FleetOnDisk) -> None:
    before = settled.running()
    settled.write("apps/blog.yaml", APP.replace(f"command: {LOOP!r}\n    env", 'command: "false"\n    env'))
    settled.commit()
    for _ in range(2):
        with pytest.raises(UserError, match="rolled back alice"):
            settled.apply()
    assert settled.running() == before
    found = still_so(clean_commit(settled.root), None, settled.engine, settled.places)
    assert found
    with pytest.raises(
        UserError, match=r"rolled back alice: alice/web .*; not tried again until git changes"
    ):
        raise found.error or UserError()
    (settled.places.state / "failed" / "alice").unlink()
    assert so(settled) is None


def test_an_instance_that_stands_still_is_left_alone_and_what_git_says_of_it_comes_later(
    settled: FleetOnDisk,
) -> None:
    containers = settled.engine.containers(settled.name, "web1")
    with hold(settled.engine, containers, "pause", settled.places, "backup"):
        assert so(settled) is None
        settled.write("apps/blog.yaml", APP.replace("hello", "goodbye"))
        settled.commit()
        steps, told = settled.apply()
        assert not steps
        assert "alice is left alone while it stands still for a backup" in told
        assert not settled.running()
    assert so(settled) is None
    steps, _ = settled.apply()
    assert [str(one) for one in steps.actions] == ["recreate alice/web: environment changed"]


@pytest.mark.parametrize(("how", "state"), [("pause", "paused"), ("stop", "exited")])
def test_an_instance_whose_backup_was_killed_while_it_stood_still_goes_on_with_the_next_apply(
    settled: FleetOnDisk, how: str, state: str
) -> None:
    killed = (
        "import os, sys\n"
        "from gitops.engine.docker import Docker; from gitops.engine.held import hold\n"
        "from gitops.system.places import places; engine = Docker()\n"
        "found = engine.containers(sys.argv[1], 'web1')\n"
        "with hold(engine, found, sys.argv[2], places(), 'backup'): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, settled.name, how], check=False)
    assert {one.state for one in settled.engine.containers(settled.name, "web1")} == {state}
    assert so(settled) is None
    _, told = settled.apply()
    assert "start alice/db: it stood still for a backup, which has died" in told
    assert set(settled.running()) == {"alice/db", "alice/web"}
    settled.apply()
    assert so(settled) == "web1"
