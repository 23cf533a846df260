"""The fleet that `gitops init` writes is whole, is in git, and holds no secret."""

import contextlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.debian.mirrors import host_archives
from gitops.fleet.load import load
from gitops.render.starter import KINDS, host_name, name_of
from gitops.system.shipped import shipped

BIN = Path(sys.executable).parent
MIRRORS = ("--mirror", "https://deb.example.org/debian/", "--security", "https://security.example.org/debian")


def init(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gitops", "init", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_it_checks_without_a_problem_and_stands_in_a_new_repository(tmp_path: Path) -> None:
    done = init("blogs", *MIRRORS, "--host", "web1", "--web-port", "8001", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    fleet = load(tmp_path / "blogs")
    assert fleet.settings.name == "blogs"
    assert fleet.settings.archives["trixie"].mirror == "https://deb.example.org/debian"
    suites = [(each.suite, each.mirror) for each in fleet.settings.archives["trixie"].suites]
    assert suites == [
        ("trixie", None),
        ("trixie-updates", None),
        ("trixie-security", "https://security.example.org/debian"),
    ]
    instances = fleet.instances("web1")
    assert list(instances) == ["alice", "bob"]
    ports = [str(each.definition.services["web"].ports[0].published) for each in instances.values()]
    assert ports == ["8001", "8002"]
    sites = [each.definition.services["web"].environment["SITE_URL"] for each in instances.values()]
    assert sites == ["http://localhost:8001", "http://localhost:8002"]
    git = ["git", "-C", str(tmp_path / "blogs")]
    assert subprocess.check_output([*git, "symbolic-ref", "HEAD"], text=True) == "refs/heads/main\n"
    assert re.findall(r"(?m)^next: (.*)$", done.stdout) == [
        "cd blogs && gitops lock && gitops render",
        "git add --all && git commit --message 'Start the fleet'",
        "gitops build && gitops apply",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_is_a_whole_fleet_whose_files_name_their_schema(kind: str, tmp_path: Path) -> None:
    done = init("fleet", *MIRRORS, "--template", kind, "--host", "web1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    root = tmp_path / "fleet"
    fleet = load(root)
    assert tuple(fleet.instances("web1")) == KINDS[kind].instances
    definitions = [
        root / "fleet.yaml",
        *(p for d in ("images", "apps", "hosts") for p in (root / d).glob("*")),
    ]
    for file in (each for each in definitions if each.suffix == ".yaml"):
        first = file.read_text().partition("\n")[0]
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert schema != first
        assert (file.parent / schema).is_file(), file


def test_a_template_that_does_not_exist_is_wrong_usage_and_the_nearest_one_is_named(tmp_path: Path) -> None:
    done = init("fleet", *MIRRORS, "--template", "postgress-app", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean `postgres-app`?" in " ".join(done.stderr.split())
    assert not (tmp_path / "fleet").exists()


def test_a_port_that_somebody_listens_on_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else's, which is as good
            taken.bind(("127.0.0.1", 8001))
            taken.listen()
        assert init("fleet", *MIRRORS, "--host", "web1", cwd=tmp_path).returncode == 0
    ports = [each.parameters["port"] for each in load(tmp_path / "fleet").hosts["web1"].instances.values()]
    assert min(int(port) for port in ports) > 8001


def test_it_takes_the_mirror_from_this_hosts_apt_and_no_other_hosts_name_is_in_it(tmp_path: Path) -> None:
    assert init("blogs", cwd=tmp_path).returncode == 0
    archive = load(tmp_path / "blogs").settings.archives["trixie"]
    mirrors = host_archives()
    assert archive.mirror == mirrors.debian
    assert [each.mirror for each in archive.suites if each.mirror] == [mirrors.security]
    for file in (path for path in shipped("templates").rglob("*") if path.is_file()):
        hosts = set(re.findall(r"(?:https?|ftp)://([a-z0-9.-]+)", file.read_text()))
        assert hosts <= {"localhost", "127.0.0.1", "www.w3.org"}, file  # the last names SVG


def test_every_option_arrives_whatever_it_holds(tmp_path: Path) -> None:
    place = tmp_path / 'a "quoted": # place'
    words = ["--name", "null", "--host", "web-9", "--web-port", "9001", "--backup-repository", str(place)]
    assert init(*MIRRORS, *words, cwd=tmp_path).returncode == 0
    fleet = load(tmp_path)
    assert fleet.settings.name == "null"
    backup = fleet.hosts["web-9"].backup
    assert backup
    assert backup.repository == str(place)
    ports = [each.parameters["port"] for each in fleet.hosts["web-9"].instances.values()]
    assert ports == [9001, 9002]


def test_a_directory_that_has_a_fleet_is_left_alone(tmp_path: Path) -> None:
    assert init(*MIRRORS, "--name", "one", cwd=tmp_path).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")}
    done = init(*MIRRORS, "--name", "two", cwd=tmp_path)
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")} == before


@pytest.mark.parametrize("wrong", [["--name", "My Fleet"], ["--host", "a.b"], ["--mirror", "gopher://x y"]])
def test_a_value_that_no_fleet_can_hold_writes_nothing(wrong: list[str], tmp_path: Path) -> None:
    done = init(*MIRRORS, *wrong, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_repository_around_it_is_used(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert init("fleet", *MIRRORS, cwd=tmp_path).returncode == 0
    assert not (tmp_path / "fleet/.git").exists()


def test_names_are_made_of_what_there_is() -> None:
    assert name_of("My Blogs_2", "fleet") == "my-blogs-2"
    assert name_of("…", "fleet") == "fleet"
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", host_name())


def test_its_scripts_are_sound() -> None:
    scripts = [
        path
        for top in ("templates", "hooks")
        for path in shipped(top).rglob("*")
        if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")
    ]
    assert len(scripts) >= 4
    for script in scripts:
        assert os.access(script, os.X_OK) or {"fleets", "images"} & set(script.parts)
    done = subprocess.run([BIN / "shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
