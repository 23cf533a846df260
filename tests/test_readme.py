"""The README's tour, typed as it stands there, on the real archive and a real engine."""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.stage import free_ports

README = Path(__file__).parent.parent / "README.md"


@dataclass(frozen=True)
class Tour:
    """The fleet that the tour made."""

    fleet: Path
    name: str
    port: int
    environment: dict[str, str]
    output: str

    def run(self, command: str, status: int = 0) -> str:
        """Type a command in the fleet."""
        done = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=self.fleet, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def containers(self) -> dict[str, str]:
        """Give the id of each running container by its name."""
        listing = docker("ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}", *self.mine)
        return dict(line.split() for line in listing.splitlines())

    @property
    def mine(self) -> list[str]:
        """Filter for what is this fleet's on the engine."""
        return ["--filter", f"label=gitops.fleet={self.name}"]


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout


def commands() -> list[str]:
    """Give the commands of the README's console blocks, in order."""
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```$", README.read_text())
    return [
        line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")
    ]


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """Follow the README in a fresh directory; only names, ports and places are made our own."""
    place = tmp_path_factory.mktemp("readme")
    name, (port, _) = f"readme-{os.getpid()}", free_ports(28001)
    environment = {
        **os.environ,
        "GITOPS_ROOT": str(place / "root"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{
            f"GIT_{who}_{what}": "reader@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    ours = f"--name {name} --web-port {port} --host web1 --backup-repository {place / 'root/srv/restic'}"
    script = "\n".join(commands()).replace("8001", str(port))
    script = script.replace("gitops init blogs", f"gitops init blogs {ours}")
    assert ours in script
    try:
        done = subprocess.run(
            ["/bin/sh", "-exc", script],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        yield Tour(place / "blogs", name, port, environment, done.stdout)
    finally:
        mine = ["--filter", f"label=gitops.fleet={name}"]
        for kind, remove in (
            ("ps -aq", "rm -fv"),
            ("network ls -q", "network rm"),
            ("volume ls -q", "volume rm"),
        ):
            if found := docker(*kind.split(), *mine).split():
                docker(*remove.split(), *found)
        if images := docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{name}/*").split():
            docker("image", "rm", "--force", *images)


def test_the_tour_gives_two_running_sites(tour: Tour) -> None:
    assert set(tour.containers()) == {
        f"{tour.name}.{instance}.{service}" for instance in ("alice", "bob") for service in ("web", "db")
    }
    for port in (tour.port, tour.port + 1):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert b"WordPress" in answer.read()


def test_a_container_deleted_by_hand_comes_back_alone(tour: Tour) -> None:
    before = tour.containers()
    victim = f"{tour.name}.bob.web"
    docker("rm", "--force", victim)
    assert "bob/web" in tour.run("gitops plan")
    tour.run("gitops apply")
    after = tour.containers()
    assert {name for name in before if before[name] != after[name]} == {victim}
    assert "nothing to do" in tour.run("gitops apply")


def test_a_definition_broken_in_five_ways_gives_five_messages_and_changes_nothing(tour: Tour) -> None:
    before = tour.containers()
    app, host, image = (
        tour.fleet / path for path in ("apps/blog.yaml", "hosts/web1.yaml", "images/wordpress.yaml")
    )
    originals = {path: path.read_text() for path in (app, host, image)}
    app.write_text(
        originals[app]
        .replace("healthcheck:", "helthcheck:", 1)
        .replace("schedule:", "schedule: every day #", 1)
    )
    host.write_text(
        originals[host].replace("app: blog", "app: blgo", 1).replace(str(tour.port + 1), "eighty")
    )
    image.write_text(originals[image].replace("from: trixie", "from: trixei"))
    try:
        told = tour.run("gitops check", status=1)
        assert len(re.findall(r"(?m)^(?:apps|hosts|images)/[a-z0-9-]+\.yaml:\d+:\d+: ", told)) == 5, told
        for hint in ("healthcheck", "blog", "trixie"):
            assert hint in told
        tour.run("gitops lock", status=1)
        tour.run("gitops render", status=1)
        assert tour.run("git diff --name-only").split() == [
            str(p.relative_to(tour.fleet)) for p in (app, host, image)
        ]
    finally:
        for path, text in originals.items():
            path.write_text(text)
    assert tour.containers() == before


def test_uncommitted_changes_are_not_applied(tour: Tour) -> None:
    host = tour.fleet / "hosts/web1.yaml"
    original = host.read_text()
    host.write_text(original + "\n# changed\n")
    try:
        assert "hosts/web1.yaml" in tour.run("gitops apply", status=1)
    finally:
        host.write_text(original)


@pytest.mark.parametrize("seconds", [0.15, 1.0])
def test_ctrl_c_at_any_moment_and_then_again_carries_on_and_nothing_is_corrupt(
    tour: Tour, seconds: float
) -> None:
    """Every verb that works for long, interrupted at three moments, with something to do each time."""
    site = tour.fleet / "images/wordpress/site.conf"
    site.write_text(f"{site.read_text()}# interrupted after {seconds} s\n")
    tour.run("git commit --quiet --all --message 'Touch the site'")
    verbs = ("lock", "render", "build", "apply", "backup run alice", "backup restore alice")
    for verb in verbs:
        with subprocess.Popen(
            ["gitops", *verb.split()],
            cwd=tour.fleet, env=tour.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            told = "".join(process.communicate(timeout=120))
        assert process.returncode in {0, 130, -signal.SIGINT}, f"{verb}: {told}"
        assert "Traceback" not in told
        tour.run(f"gitops {verb}")
        tour.run("git diff --quiet -- locks")
        tour.run("git add --all && git diff --cached --quiet || git commit --quiet --message 'Render'")
    assert "nothing to do" in tour.run("gitops apply")
    assert len(tour.containers()) == 4
    with urllib.request.urlopen(f"http://127.0.0.1:{tour.port}/", timeout=30) as answer:
        assert b"WordPress" in answer.read()


def test_every_command_of_the_readme_is_one_that_exists() -> None:
    verbs = {shlex.split(command)[1] for command in commands() if command.startswith("gitops ")}
    assert verbs >= {
        "init",
        "check",
        "lock",
        "render",
        "build",
        "plan",
        "apply",
        "status",
        "job",
        "backup",
        "update",
    }


def test_every_file_that_the_readme_links_to_exists() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (README.parent / link).is_file(), link
