import json
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.agent.generation import current
from gitops.agent.rollback import go_back, rolled_back
from gitops.agent.unchanged import clean_commit, still_so
from gitops.system.errors import UserError
from tests.agent.conftest import FleetOnDisk

GITOPS = Path(sys.executable).parent / "gitops"


def gitops(fleet: FleetOnDisk, *args: str, status: int = 0) -> str:
    done = subprocess.run([GITOPS, *args], cwd=fleet.root, capture_output=True, check=False, text=True)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def greet(fleet: FleetOnDisk, word: str) -> str:
    fleet.write("hosts/web1.yaml", f"instances: {{alice: {{app: blog, parameters: {{greeting: {word}}}}}}}\n")
    return fleet.commit()


def greeting(fleet: FleetOnDisk) -> str:
    with fleet.engine.exec(f"{fleet.name}.alice.web", ["sh", "-c", "echo $GREETING"]) as stream:
        return b"".join(stream).decode().strip()


@pytest.fixture
def moved(fleet: FleetOnDisk) -> FleetOnDisk:
    """A host that ran one commit and runs the next."""
    for word in ("good", "bad"):
        greet(fleet, word)
        fleet.apply()
    return fleet


def test_a_host_goes_back_stays_there_and_moves_on_with_git(moved: FleetOnDisk) -> None:
    told = gitops(moved, "rollback")
    assert "recreate alice/web: environment changed" in told
    assert greeting(moved) == "good"
    for _ in range(2):
        told = gitops(moved, "apply")
        assert "rolled back from" in told
        assert "web1: nothing to do" in told
    assert greeting(moved) == "good"
    assert still_so(clean_commit(moved.root), None, moved.engine, moved.places)
    commit = greet(moved, "better")
    moved.apply()
    assert greeting(moved) == "better"
    assert rolled_back(moved.places) is None
    assert current(moved.places).commit == commit
    gitops(moved, "rollback")
    assert greeting(moved) == "good"


def test_a_rollback_can_be_taken_back(moved: FleetOnDisk) -> None:
    left = current(moved.places).commit
    gitops(moved, "rollback")
    told = gitops(moved, "rollback", status=1)
    assert f"rolled back from {left[:12]}" in told
    assert "gitops rollback --end" in told
    gitops(moved, "rollback", "--end")
    assert greeting(moved) == "bad"
    assert current(moved.places).commit == left
    assert "not rolled back" in gitops(moved, "rollback", "--end", status=1)


def test_a_rollback_that_was_killed_before_it_began_is_done_by_the_next_turn(moved: FleetOnDisk) -> None:
    go_back(moved.places)
    _, told = moved.apply()
    assert "recreate alice/web: environment changed" in told
    assert greeting(moved) == "good"


def test_the_first_generation_has_none_before_it(fleet: FleetOnDisk) -> None:
    greet(fleet, "good")
    fleet.apply()
    with pytest.raises(UserError, match="git revert"):
        go_back(fleet.places)


def test_a_rollback_needs_neither_the_repository_nor_a_build(
    moved: FleetOnDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved.root.rename(tmp_path / "away")
    monkeypatch.chdir(tmp_path)
    subprocess.run([GITOPS, "rollback"], check=True, capture_output=True)
    assert greeting(moved) == "good"


def test_history_tells_what_was_applied_rolled_back_and_how_each_step_ended(moved: FleetOnDisk) -> None:
    gitops(moved, "rollback")
    turns = json.loads(gitops(moved, "history", "--json"))["turns"]
    assert [(turn["kind"], turn["outcome"]) for turn in turns] == [
        ("apply", "done"),
        ("apply", "done"),
        ("rollback", "done"),
    ]
    assert turns[2]["commit"] == turns[0]["commit"] == turns[1]["before"]
    shown = json.loads(gitops(moved, "history", "show", str(turns[2]["number"]), "--json"))
    assert [(one["action"], one["subject"], one["outcome"]) for one in shown["actions"]] == [
        ("recreate", "alice/web", "done")
    ]
    assert "recreate alice/web: environment changed" in gitops(
        moved, "history", "show", str(turns[2]["number"])
    )
    assert len(gitops(moved, "history").splitlines()) == 4
