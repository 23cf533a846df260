"""What is missing or wrong around gitops is found, with what to do about it; the faults are real."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gitops.doctor.checks import CHECKS, examine
from gitops.doctor.engine import check as engine_check
from gitops.doctor.machine import Machine, look_around
from gitops.doctor.rights import check as rights_check
from gitops.secrets.age import make_identity
from tests.archive import SigningKey
from tests.doctor.conftest import Surroundings
from tests.small_disk import small_disk


def doctor(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gitops", "doctor", *words],
        capture_output=True, text=True, cwd=cwd, check=False, env={**os.environ, **variables},
    )  # fmt: skip


def test_it_looks_at_everything_on_a_bare_desk_and_its_status_says_whether_something_must_be_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "root"))
    done = doctor("--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["version"] == 1
    states = {each["state"] for each in told["findings"]}
    assert states <= {"ok", "warning", "problem"}
    assert done.returncode == ("problem" in states)
    subjects = [each["subject"] for each in told["findings"]]
    assert {"engine", "programs", "archives", "space", "rights", "scheduler", "secrets"} <= set(subjects)
    assert subjects == sorted(subjects, key=list(CHECKS).index)
    assert all(each["advice"] for each in told["findings"] if each["state"] != "ok")
    assert not (tmp_path / "root").exists()


def test_an_engine_that_is_away_is_a_problem_with_an_advice(
    surroundings: Surroundings, tmp_path: Path
) -> None:
    done = doctor(cwd=surroundings.root, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 1
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("engine")]
    assert "no container engine answers" in line
    assert "systemctl start docker" in line


def test_the_engine_of_this_machine_is_found_with_its_storage_and_a_client_that_builds(
    surroundings: Surroundings,
) -> None:
    found = [each.says for each in surroundings.look("engine")]
    assert len(found) == 3, found
    assert "answers at" in found[0]
    assert "layers are kept by" in found[1]
    assert "BuildKit" in found[2]


def test_a_program_that_is_missing_is_named_with_its_package(
    surroundings: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("git", "apt-get", "gpgv", "mmdebstrap", "age"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    assert "restic is not here" in surroundings.find("programs")["problem"]
    assert "apt install restic" in surroundings.find("programs")["problem"]
    surroundings.host("scheduler: cron", repository="")
    assert "restic is not here" in surroundings.find("programs")["warning"]
    old = tmp_path / "bin" / "restic"
    old.write_text("#!/bin/sh\necho 'restic 0.9.6 compiled with go1.11'\n")
    old.chmod(0o755)
    assert "restic is version 0.9.6" in surroundings.find("programs")["problem"]


def test_an_archive_that_answers_is_verified_and_agrees_about_the_time(surroundings: Surroundings) -> None:
    found = surroundings.look("archives")
    assert {each.state for each in found} == {"ok"}
    assert "trixie answers, signed" in found[0].says
    assert "the clock agrees" in found[1].says


def test_an_archive_signed_by_a_stranger_or_not_answering_and_a_missing_keyring_are_problems(
    surroundings: Surroundings, stranger_key: SigningKey, closed_port: int
) -> None:
    right = surroundings.settings
    surroundings.write(
        "fleet.yaml", right.replace(str(surroundings.archive.keyring), str(stranger_key.keyring))
    )
    assert "not in the archive's keyring" in surroundings.find("archives")["problem"]
    surroundings.write("fleet.yaml", right.replace(str(surroundings.archive.keyring), "/nowhere/keys.gpg"))
    assert "the keyring /nowhere/keys.gpg is not there" in surroundings.find("archives")["problem"]
    away = f"http://127.0.0.1:{closed_port}"
    surroundings.write("fleet.yaml", right.replace(surroundings.archive.mirror, away))
    assert f"{away}/dists/trixie/InRelease cannot be fetched" in surroundings.find("archives")["problem"]
    surroundings.write("fleet.yaml", right.replace("suites: [trixie]", "suites: [sid]"))
    assert "HTTP status 404" in surroundings.find("archives")["problem"]


def test_a_clock_that_is_wrong_is_found_by_the_archives_own(surroundings: Surroundings) -> None:
    words = [sys.executable, "-m", "gitops", "doctor", "--json"]
    done = subprocess.run(
        ["faketime", "-f", "+20m", *words], capture_output=True, text=True, cwd=surroundings.root, check=False
    )
    told = [each for each in json.loads(done.stdout)["findings"] if "the clock is" in each["says"]]
    assert [each["state"] for each in told] == ["problem"]
    assert "ahead of the archive's" in told[0]["says"]


def test_a_backup_repository_is_opened_but_never_made(surroundings: Surroundings, tmp_path: Path) -> None:
    repository = tmp_path / "restic"
    surroundings.host("scheduler: cron", str(repository))
    assert "the first backup makes its password" in surroundings.find("backups")["ok"]
    password = surroundings.places.config / "restic-password"
    assert not password.exists()
    password.parent.mkdir(parents=True)
    password.write_text("one\n")
    password.chmod(0o600)
    assert "is not there yet" in surroundings.find("backups")["ok"]
    assert not repository.exists()
    init = ["restic", "init", "--quiet", "--repo", str(repository), "--password-file", str(password)]
    subprocess.run(init, check=True)
    assert "opens it" in surroundings.find("backups")["ok"]
    password.write_text("another\n")
    assert "password" in surroundings.find("backups")["problem"]
    surroundings.host("scheduler: cron", repository="")
    assert "the host has no repository" in surroundings.find("backups")["problem"]


def test_the_hosts_age_key_must_be_private_and_the_one_that_git_names(surroundings: Surroundings) -> None:
    assert "no age key yet" in surroundings.find("secrets")["ok"]
    key = surroundings.places.config / "age.key"
    own = make_identity(key)
    surroundings.host(f"age: {own}")
    assert "is the host's" in surroundings.find("secrets")["ok"]
    assert "decrypted secrets would lie on a disk" in surroundings.find("secrets")["warning"]
    key.chmod(0o644)
    assert f"chmod 600 {key}" in surroundings.find("secrets")["problem"]
    key.unlink()
    assert "is not there" in surroundings.find("secrets")["problem"]
    make_identity(key)
    assert "names another recipient" in surroundings.find("secrets")["problem"]


def test_a_host_needs_the_scheduler_that_it_names(surroundings: Surroundings, tmp_path: Path) -> None:
    program = tmp_path / "cron"
    shutil.copy(str(shutil.which("sleep")), program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            assert "cron runs" in surroundings.find("scheduler")["ok"]
        finally:
            process.kill()
    surroundings.host("scheduler: systemd")
    state = "ok" if Path("/run/systemd/system").is_dir() else "problem"
    assert "systemd" in surroundings.find("scheduler")[state]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
def test_a_full_disk_below_a_place_is_a_problem(
    surroundings: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "small", 8):
        monkeypatch.setenv("GITOPS_STATE", str(tmp_path / "small/state"))
        assert "0.0 GB are free for state" in surroundings.find("space")["problem"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_write_to_a_place_or_use_the_engine_is_told(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a socket of the test's own: who may use the machine's is not for a test to decide."""
    with socket.socket(socket.AF_UNIX) as engine, TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        engine.bind(f"{place}/engine.sock")
        Path(f"{place}/engine.sock").chmod(0o600)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{place}/engine.sock")
        monkeypatch.setenv("GITOPS_ROOT", place)
        machine = Machine(surroundings.places)
        with nobody():
            refused = next(iter(engine_check(machine)))
            rights = [each.says for each in rights_check(machine)]
    assert "you may not use the engine" in refused.says
    assert "adduser" in refused.advice
    assert any(each.startswith("you may not write to state") for each in rights), rights


@contextmanager
def nobody() -> Iterator[None]:
    """Be nobody in particular for a while."""
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_a_remote_that_answers_is_named_and_one_that_is_gone_is_a_problem(
    surroundings: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert "git does not know who you are" in surroundings.find("git")["warning"]
    git = ["git", "-C", str(surroundings.root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "One"], check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", surroundings.root, tmp_path / "bare"], check=True)
    subprocess.run([*git, "remote", "add", "origin", tmp_path / "bare"], check=True)
    assert "answers" in surroundings.find("git")["ok"]
    shutil.rmtree(tmp_path / "bare")
    assert "ls-remote" in surroundings.find("git")["problem"]


def test_a_forge_is_asked_only_where_there_is_one_and_a_closed_port_is_a_problem(
    surroundings: Surroundings, closed_port: int
) -> None:
    assert surroundings.find("forge") == {}
    away = f"http://127.0.0.1:{closed_port}"
    forge = f"updates: {{forge: {{kind: forgejo, address: '{away}', project: team/fleet}}}}\n"
    surroundings.write("fleet.yaml", surroundings.settings + forge)
    assert "there is no remote origin" in surroundings.find("forge")["warning"]
    add = ["remote", "add", "origin", f"{away}/team/fleet.git"]
    subprocess.run(["git", "-C", surroundings.root, *add], check=True)
    found = surroundings.find("forge")
    assert f"{away} does not answer" in found["problem"]
    assert "GITOPS_FORGE_TOKEN" in found["warning"]
    here = f"http://127.0.0.1:{surroundings.archive.mirror.rpartition(':')[2]}"
    surroundings.write("fleet.yaml", surroundings.settings + forge.replace(away, here))
    assert surroundings.find("forge")["ok"].startswith(f"{here} answers")


def test_a_registry_that_does_not_answer_is_a_problem(surroundings: Surroundings, closed_port: int) -> None:
    assert surroundings.find("registry") == {}
    surroundings.write("fleet.yaml", surroundings.settings + f"registry: 127.0.0.1:{closed_port}\n")
    assert "127.0.0.1" in surroundings.find("registry")["problem"]


def test_an_agents_settings_its_servers_and_its_silence_are_looked_at(
    surroundings: Surroundings, tmp_path: Path
) -> None:
    assert surroundings.find("agent") == {}
    settings = surroundings.places.config / "agent.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"host: web1\nremotes: [{tmp_path / 'nowhere'}]\ntrust: unsigned\npol: 3\n")
    assert "did you mean `poll`?" in surroundings.find("agent")["problem"]
    settings.write_text(f"host: web1\nremotes: [{surroundings.root}]\ntrust: unsigned\n")
    found = surroundings.find("agent")
    assert "has no branch main" in found["problem"]
    assert "has not looked since" in found["warning"]
    tick = surroundings.places.runtime / "tick.json"
    tick.parent.mkdir(parents=True)
    newest = {"commit": "", "notes": [], "state": "applied", "time": "2026-01-01T00:00:00Z"}
    tick.write_text(json.dumps(newest))
    assert "has been silent since" in surroundings.find("agent")["problem"]


def test_a_check_that_hangs_is_given_up_and_what_it_had_found_stays(surroundings: Surroundings) -> None:
    machine = look_around(surroundings.root, surroundings.places, named=False)
    checks = {"hanging": "tests.doctor.hanging", "fleet": CHECKS["fleet"]}
    found = examine(machine, checks, patience=0.5)
    assert [(subject, each.state) for subject, each in found] == [
        ("hanging", "ok"),
        ("hanging", "problem"),
        ("fleet", "ok"),
    ]
    assert "no answer within 0.5 s" in found[1][1].says


def test_a_fleet_that_cannot_be_read_does_not_keep_it_from_looking_at_the_rest(
    surroundings: Surroundings,
) -> None:
    surroundings.write("fleet.yaml", "nmae: demo\n")
    assert "gitops check tells" in surroundings.find("fleet")["problem"]
    assert surroundings.find("engine")["ok"]


def test_a_fleet_that_was_named_and_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = doctor("--fleet", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "there is no fleet.yaml" in done.stderr
