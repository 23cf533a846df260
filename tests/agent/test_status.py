import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.agent.comparing import standing
from gitops.agent.pause import pause
from gitops.engine.usage import usage
from tests.agent.conftest import APP, FleetOnDisk
from tests.engine_fixtures import WELL

GITOPS = Path(sys.executable).parent / "gitops"


def test_use_is_shown_against_limits(fleet: FleetOnDisk) -> None:
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    fleet.write("apps/blog.yaml", APP + "    mem_limit: 64m\n    pids_limit: 50\n    cpus: 0.5\n")
    fleet.commit()
    fleet.apply()
    first = standing(fleet.root, None, fleet.engine, fleet.places)
    found = standing(fleet.root, None, fleet.engine, fleet.places, first.used)
    row = next(row for row in found.rows if row.service == "web")
    assert row.usage
    assert (row.usage.memory_limit, row.usage.processes_limit, row.cpus) == (64 << 20, 50, 0.5)
    assert 0 < row.usage.memory < 64 << 20
    assert row.usage.processes >= 1
    assert row.cpu is not None
    assert row.cpu >= 0
    free = next(row for row in found.rows if row.service == "db")
    assert free.usage
    assert (free.usage.memory_limit, free.usage.processes_limit) == (None, None)
    assert found.well


def test_a_container_that_cannot_be_asked_is_left_out(fleet: FleetOnDisk) -> None:
    fleet.apply()
    one = fleet.engine.containers(fleet.name, "web1")[0]
    assert set(usage([one.id, "0" * 64])) == {one.id}


def test_what_needs_somebody_comes_first_and_shows_in_the_exit_status(
    fleet: FleetOnDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.apply()
    fleet.engine.stop(f"{fleet.name}.bob.web")
    monkeypatch.chdir(tmp_path)  # outside of any fleet it is the one that the host runs
    asked = [str(GITOPS), "status", "--json", "--exit-code"]
    done = subprocess.run(asked, capture_output=True, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    first = told["containers"][0]
    assert (first["instance"], first["service"]) == ("bob", "web")
    assert first["note"] == "start: it was stopped by hand or died"
    assert [row["well"] for row in told["containers"]] == [False, True, True, True]
    fleet.apply()
    assert subprocess.run(asked, capture_output=True, check=False).returncode == 0
    pause(fleet.places, 3600)
    done = subprocess.run([GITOPS, "status", "--exit-code"], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"1 problem" in done.stdout.splitlines()[0]
    assert re.search(rb"(?m)^host web1 +- +paused until ", done.stdout)


def test_an_instance_that_failed_says_so_until_git_changes(fleet: FleetOnDisk) -> None:
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    fleet.commit()
    fleet.apply()
    fleet.write("apps/blog.yaml", APP.replace(f"{WELL!r}, interval", '[CMD, "false"], retries: 1, interval'))
    fleet.commit()
    for _ in range(2):
        done = subprocess.run([GITOPS, "apply"], cwd=fleet.root, capture_output=True, check=False, text=True)
        assert done.returncode == 1, (done.stdout, done.stderr)
        assert "rolled back alice" in done.stderr
    done = subprocess.run(
        [GITOPS, "plan", "--exit-code"], cwd=fleet.root, capture_output=True, check=False, text=True
    )
    assert done.returncode == 1
    assert "rolled back alice: " in done.stdout
    found = standing(fleet.root, None, fleet.engine, fleet.places)
    assert not found.well
    assert all(row.note.startswith("rolled back: ") for row in found.rows)
    fleet.write("apps/blog.yaml", APP)
    fleet.commit()
    fleet.apply()
    assert standing(fleet.root, None, fleet.engine, fleet.places).well


def test_watching_goes_on_until_somebody_has_seen_enough(fleet: FleetOnDisk) -> None:
    fleet.apply()
    with subprocess.Popen([GITOPS, "status", "--watch"], cwd=fleet.root, stdout=subprocess.PIPE) as watching:
        assert watching.stdout
        heads = 0
        for line in watching.stdout:
            heads += line.startswith(b"instance ")
            if heads == 2:
                break
        watching.terminate()
