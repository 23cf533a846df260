from pathlib import Path

import pytest

from gitops.agent.generation import adopt, current
from gitops.system.errors import UserError
from tests.agent.conftest import FleetOnDisk


def test_a_host_runs_a_copy_of_the_commit_that_later_work_does_not_disturb(fleet: FleetOnDisk) -> None:
    (fleet.root / "link").symlink_to("fleet.yaml")
    commit = fleet.commit()
    adopt(fleet.root, "web1", fleet.places)
    fleet.write("fleet.yaml", "broken")
    found = current(fleet.places)
    assert (found.commit, found.host) == (commit, "web1")
    assert fleet.name in (found.path / "fleet.yaml").read_text()
    assert (found.path / "link").readlink() == Path("fleet.yaml")


def test_what_is_not_committed_is_refused_by_name(fleet: FleetOnDisk) -> None:
    fleet.write("apps/new.yaml", "services: {}")
    fleet.write("hosts/web1.yaml", "instances: {}")
    with pytest.raises(UserError, match=r"apps/new\.yaml, hosts/web1\.yaml\n.*git commit"):
        adopt(fleet.root, "web1", fleet.places)


def test_the_generation_before_is_kept_and_older_ones_go(fleet: FleetOnDisk) -> None:
    commits = []
    for number in range(3):
        fleet.write("note", str(number))
        commits.append(fleet.commit())
        adopt(fleet.root, "web1", fleet.places)
    assert {path.name for path in (fleet.places.state / "generations").iterdir()} == set(commits[1:])


def test_a_copy_that_was_cut_short_is_never_taken_for_a_generation(fleet: FleetOnDisk) -> None:
    half = fleet.places.state / "generations" / ".new-killed"
    half.mkdir(parents=True)
    (half / "fleet.yaml").write_text("name: ha")
    adopt(fleet.root, "web1", fleet.places)
    assert not half.exists()
    assert (current(fleet.places).path / "hosts/web1.yaml").exists()


def test_a_host_without_a_generation_says_what_to_do(fleet: FleetOnDisk) -> None:
    with pytest.raises(UserError, match="gitops apply"):
        current(fleet.places)
