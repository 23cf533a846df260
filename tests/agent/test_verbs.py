"""The verbs plan, apply, status and secret, as a person runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.secrets.age import decrypt, make_identity
from tests.agent.conftest import APP, FleetOnDisk

GITOPS = Path(sys.executable).parent / "gitops"


def gitops(
    fleet: FleetOnDisk, *args: str, stdin: bytes = b"", status: int = 0
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([GITOPS, *args], cwd=fleet.root, input=stdin, capture_output=True, check=False)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def test_a_plan_is_told_in_lines_and_in_json_and_can_be_asked_for_by_exit_status(fleet: FleetOnDisk) -> None:
    lines = gitops(fleet, "plan").stdout.decode().splitlines()
    assert lines[0].startswith("build image tiny: ")
    assert "create alice/db: it is not there" in lines
    told = json.loads(gitops(fleet, "plan", "--json", "--exit-code", status=1).stdout)
    assert {"action": "create", "subject": "bob/web", "reason": "it is not there"} in told["actions"]
    fleet.apply()
    assert gitops(fleet, "plan", "--exit-code").stdout == b"web1: nothing to do\n"


def test_an_apply_with_nothing_to_do_says_so_and_status_shows_what_runs(fleet: FleetOnDisk) -> None:
    fleet.apply()
    for _ in range(2):
        assert gitops(fleet, "apply").stdout.endswith(b"web1: nothing to do\n")
    shown = json.loads(gitops(fleet, "status", "--json").stdout)
    assert [
        (row["instance"], row["service"], row["state"], row["current"]) for row in shown["containers"]
    ] == [(instance, service, "running", True) for instance in ("alice", "bob") for service in ("db", "web")]
    fleet.engine.remove(f"{fleet.name}.bob.web")
    table = gitops(fleet, "status").stdout.decode().splitlines()
    assert table[0].startswith(f"{fleet.name} on web1: generation ")
    assert "2 instances, 1 problem" in table[0]
    problems, containers = table.index("") + 1, table.index("", table.index("") + 1) + 1
    assert "web: create: it is not there" in table[problems + 1]
    assert table[containers].split() == [*("instance", "service", "state", "health", "image", "since")]
    assert table[containers + 1].split()[:3] == ["bob", "web", "missing"]


def test_without_an_engine_every_verb_says_so_and_what_to_do(
    fleet: FleetOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    for verb in ("plan", "apply", "status"):
        told = gitops(fleet, verb, status=1).stderr.decode()
        assert "no container engine answers at unix:///nowhere/docker.sock" in told
        assert "systemctl start docker" in told
        assert "Traceback" not in told


def test_a_secret_is_set_from_a_pipe_for_the_hosts_that_use_it(fleet: FleetOnDisk) -> None:
    recipient = gitops(fleet, "secret", "key").stdout.decode().split()[-1]
    other = make_identity(fleet.root.parent / "other.key")
    fleet.write("hosts/web1.yaml", f"age: {recipient}\ninstances: {{alice: {{app: blog}}}}\n")
    fleet.write("hosts/web2.yaml", f"age: {other}\ninstances: {{}}\n")
    fleet.write("apps/blog.yaml", f"{APP}    secrets: [password, token]\n")
    value = bytes(range(256))
    for name in ("password", "token"):
        told = gitops(fleet, "secret", "set", name, stdin=value).stdout.decode()
        assert told == f"secrets/{name}.age: readable by web1; commit it\n"
    path = fleet.root / "secrets/password.age"
    assert decrypt(path, fleet.places.config / "age.key") == value
    gitops(fleet, "secret", "set", "password", stdin=b"")
    assert decrypt(path, fleet.places.config / "age.key") == b""


def test_a_secret_that_nothing_uses_or_a_host_cannot_read_is_refused(fleet: FleetOnDisk) -> None:
    assert (
        b"nothing uses the secret password"
        in gitops(fleet, "secret", "set", "password", stdin=b"x", status=1).stderr
    )
    fleet.write("apps/blog.yaml", f"{APP}    secrets: [password]\n")
    told = gitops(fleet, "secret", "set", "password", stdin=b"x", status=1).stderr
    assert b"hosts/web1.yaml: uses the secret password but has no `age`" in told
    assert not (fleet.root / "secrets").exists()
