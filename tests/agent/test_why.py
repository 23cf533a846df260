"""Why an instance is what it is: which file, line and commit, who wrote it, who merged and who signed it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from tests.agent.conftest import FleetOnDisk
from tests.agent.test_tick import Followed
from tests.agent.test_tick import followed as followed  # noqa: PLC0414  # a fixture is found where it is named
from tests.images.test_lock import package

GITOPS = str(Path(sys.executable).with_name("gitops"))


def _why(directory: Path, *args: str, status: int = 0) -> str:
    done = subprocess.run([GITOPS, "why", *args], cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def _facts(told: dict[str, Any]) -> dict[tuple[str | None, str], dict[str, Any]]:
    return {(one["service"], one["where"]): one for one in told["facts"]}


def _commit(fleet: FleetOnDisk, who: str, subject: str) -> str:
    address = f"{who.lower()}@example.org"
    fleet.git("add", "--all")
    fleet.git("-c", f"user.name={who}", "-c", f"user.email={address}", "commit", "--quiet", "-m", subject)
    return fleet.git("rev-parse", "HEAD")


def _lock(fleet: FleetOnDisk, *packages: tuple[str, str]) -> None:
    made = tuple(package(*each) for each in packages)
    loaded = load(fleet.root)
    lock = Lock("tiny", "amd64", request_of(loaded, "tiny"), made)
    fleet.write("locks/tiny.amd64.lock", format_lock(lock))


def test_each_file_that_decides_an_instance_names_its_commit_and_its_people(fleet: FleetOnDisk) -> None:
    fleet.write("hosts/web1.yaml", "instances:\n  alice:\n    app: blog\n  bob:\n    app: blog\n")
    placed = _commit(fleet, "Anna", "Place two blogs")
    _lock(fleet, ("curl", "1"), ("tini", "1"))
    _commit(fleet, "Bot", "Lock")
    fleet.git("switch", "--quiet", "--create", "update")
    _lock(fleet, ("curl", "2"), ("tini", "1"))
    updated = _commit(fleet, "Bot", "Update curl")
    fleet.git("switch", "--quiet", "main")
    hosts = (fleet.root / "hosts/web1.yaml").read_text()
    fleet.write("hosts/web1.yaml", f"{hosts}    parameters: {{greeting: hi}}\n")
    changed = _commit(fleet, "Bert", "Let bob say hi \x1b]0;evil\x07")
    fleet.git("-c", "user.name=Carol", "merge", "--quiet", "--no-ff", "-m", "Merge the update", "update")
    told = json.loads(_why(fleet.root, "alice", "--json"))
    facts = _facts(told)
    assert told["generation"]["by"]["subject"] == "Merge the update"
    assert told["running"] == []
    alice = facts[None, "hosts/web1.yaml:2"]
    assert (alice["by"]["commit"], alice["by"]["author"]) == (placed, "Anna <anna@example.org>")
    assert alice["by"]["merge"] is None
    lock = facts["web", "locks/tiny.amd64.lock"]
    assert (lock["by"]["commit"], lock["detail"]) == (updated, "curl 1 → 2")
    assert lock["by"]["merge"]["committer"] == "Carol <test@example.org>"
    assert facts["web", "images/tiny.yaml"]["by"]["subject"] == "Change the fleet"
    bob = _facts(json.loads(_why(fleet.root, "bob", "web", "--json")))
    assert bob[None, "hosts/web1.yaml:4"]["by"]["commit"] == changed
    assert {service for service, _ in bob} == {None, "web"}
    lines = _why(fleet.root, "alice", "web").splitlines()
    assert lines[0] == "alice: blog on web1"
    assert lines[1].startswith("generation: ")
    (line,) = [line for line in lines if "tiny.amd64.lock" in line]
    assert re.search(rf"{updated[:12]} .* Bot, merged by Carol +Update curl; curl 1 → 2$", line)
    (curl,) = _facts(json.loads(_why(fleet.root, "alice", "web", "--package", "curl", "--json"))).values()
    assert (curl["what"], curl["by"]["commit"], curl["detail"]) == ("package", updated, "curl 2")
    assert "has a package crul\n  did you mean curl?" in _why(
        fleet.root, "alice", "--package", "crul", status=1
    )
    assert "known: db, web" in _why(fleet.root, "alice", "wbe", status=1)
    fleet.write("README.md", "more")
    assert "not committed" in _why(fleet.root, "alice", status=1)


def test_on_its_host_it_tells_what_runs_when_it_changed_and_who_signed(
    followed: Followed, tmp_path: Path
) -> None:
    followed.tick()
    followed.push(alice="hi")
    done, _ = followed.tick()
    told = json.loads(_why(tmp_path, "alice", "--json"))
    assert told["generation"]["commit"] == done.commit
    assert told["generation"]["signed"].startswith("signed by ada@example.org with ED25519 key SHA256:")
    assert [(one["service"], one["state"]) for one in told["running"]] == [
        ("db", "running"),
        ("web", "running"),
    ]
    assert told["running"][1]["generation"] == done.commit
    change = told["last_change"]
    assert (change["kind"], change["commit"], change["outcome"]) == ("apply", done.commit, "done")
    assert [(one["action"], one["subject"], one["outcome"]) for one in change["actions"]] == [
        ("recreate", "alice/web", "done")
    ]
    assert _facts(told)[None, "hosts/web1.yaml:2"]["by"]["commit"] == done.commit
    said = _why(tmp_path, "alice")
    assert "last change: turn " in said
    assert "  recreate alice/web done: environment changed" in said


def test_where_nobody_has_the_history_the_files_are_told_all_the_same(
    fleet: FleetOnDisk, tmp_path: Path
) -> None:
    fleet.apply()
    said = _why(tmp_path, "alice", "db")
    assert "runs: db, Up " in said
    assert re.search(r"db +lock +locks/tiny.amd64.lock +- ", said)
