"""Where the story plays: its directory, its names, the commands it shows, and the sweeping up."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
DEMO = Path(os.environ.get("GITOPS_DEMO") or HERE / ".demo").absolute()
FLEET = DEMO / "fleet"
ROOT = DEMO / "root"
NAME = "demo-" + hashlib.sha256(str(DEMO).encode()).hexdigest()[:8]
ENVIRONMENT = {
    **os.environ,
    "GITOPS_ROOT": str(ROOT),
    "GITOPS_CACHE": str(DEMO / "cache"),
    "PATH": f"{HERE / '.venv/bin'}:{os.environ['PATH']}",
    "GIT_AUTHOR_NAME": "The administrator",
    "GIT_AUTHOR_EMAIL": "admin@example.org",
    "GIT_COMMITTER_NAME": "The administrator",
    "GIT_COMMITTER_EMAIL": "admin@example.org",
}


class DemoError(Exception):
    """What the demo set out to prove does not hold."""


def prove(claim: object, otherwise: str) -> None:
    """Stop the demo unless a claim is true."""
    if not claim:
        raise DemoError(otherwise)


def command(*words: str, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """Run a command in the fleet, printed before it runs; its output is shown as it comes, and returned."""
    print(f"$ {' '.join(words)}", flush=True)
    lines = []
    with subprocess.Popen(
        words,
        cwd=FLEET if FLEET.is_dir() else DEMO,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            print(f"  {line}", end="", flush=True)
            lines.append(line)
    prove(process.returncode == 0, f"`{' '.join(words)}` ended with status {process.returncode}")
    return "".join(lines)


def docker(*words: str) -> str:
    """Ask the engine something that the story needs to know but does not show."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout.strip()


def containers() -> dict[str, str]:
    """Give the id of each of the demo's running containers, by its name."""
    mine = f"label=gitops.fleet={NAME}"
    listing = docker("ps", "--no-trunc", "--filter", mine, "--format", "{{.Names}} {{.ID}}")
    return {
        name: identifier for name, _, identifier in (line.partition(" ") for line in listing.splitlines())
    }


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds, or stop the demo."""
    deadline = time.monotonic() + seconds
    while not holds():
        prove(time.monotonic() < deadline, f"not within {seconds:g} s: {what}")
        time.sleep(0.5)


def free_ports(start: int = 18001) -> tuple[int, int]:
    """Find two ports on loopback, from `start` on, that follow one another and that nobody listens on."""
    for first in range(start, 60000, 2):
        with socket.socket() as one, socket.socket() as two:
            try:
                one.bind(("127.0.0.1", first))
                two.bind(("127.0.0.1", first + 1))
            except OSError:
                continue
            return first, first + 1
    raise DemoError("no free port on loopback")


def sweep(*, everything: bool) -> None:
    """Remove what the demo made on the engine and on disk; everything: images and the store of .debs too."""
    mine = ["--quiet", "--filter", f"label=gitops.fleet={NAME}"]
    for kind, remove in (
        (["ps", "--all"], ["rm", "--force", "--volumes"]),
        (["network", "ls"], ["network", "rm"]),
        (["volume", "ls"], ["volume", "rm", "--force"]),
    ):
        if found := docker(*kind, *mine).split():
            docker(*remove, *found)
    shutil.rmtree(FLEET, ignore_errors=True)
    shutil.rmtree(ROOT, ignore_errors=True)
    if everything:
        if images := docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{NAME}/*").split():
            docker("image", "rm", "--force", *images)
        shutil.rmtree(DEMO, ignore_errors=True)
