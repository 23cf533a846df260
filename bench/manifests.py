"""Writing what a host's scheduler is given for 1,000 instances with 5 jobs each, for cron and for systemd."""

import gc
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from bench.figure import Figure, Limit
from gitops.fleet.load import load
from gitops.render.render import write
from gitops.render.schedule import schedule_files

_INSTANCES, _JOBS = 1000, 5
_MOST = 1000  # milliseconds

_FLEET = """\
name: bench
archives:
  trixie: {mirror: "https://deb.example.org/debian", suites: [trixie]}
"""
_JOB = """\
  job-{number}:
    service: web
    schedule: "{number} */2 * * 1-5"
    command: [/usr/bin/job, --number, "{number}", --of, "${{instance}}"]
    environment: {{NUMBER: "{number}"}}
    timeout: 5m
    spread: 10m
"""
_APP = f"""\
services: {{web: {{image: web}}}}
jobs:
{"".join(_JOB.format(number=number) for number in range(_JOBS))}"""


def measure() -> Figure:
    ours, theirs = compare("cron")
    return Figure(
        f"definitions and cron manifest of {_INSTANCES:,} instances x {_JOBS} jobs",
        "writing the same files",
        ours,
        theirs,
        None,
        Limit(ours * 1000, _MOST, "ms"),
    )


def compare(scheduler: str) -> tuple[float, float]:
    """Measure rendering and writing what a scheduler is given, and bare writing of the same; in seconds."""
    gc.set_threshold(100_000)  # as the program does, gitops/__main__.py
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="gitops-bench-") as directory:
        root, bare = Path(directory, "fleet"), Path(directory, "bare")
        _define(root, scheduler)
        for _ in range(5):
            fleet = load(root)
            begun = time.perf_counter()
            files = {
                f"rendered/hosts/one/{path}": text for path, text in schedule_files(fleet, "one").items()
            }
            write(root, files)
            ours.append(time.perf_counter() - begun)
            theirs.append(_written(bare, files))
            for made in (root / "rendered", bare):
                shutil.rmtree(made)
    return statistics.median(ours), statistics.median(theirs)


def _written(directory: Path, files: dict[str, str]) -> float:
    for path in files:
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    for path, text in files.items():
        (directory / path).write_text(text)
    return time.perf_counter() - begun


def _define(root: Path, scheduler: str) -> None:
    for name in ("images", "apps", "hosts"):
        (root / name).mkdir(parents=True)
    (root / "fleet.yaml").write_text(_FLEET)
    (root / "images/web.yaml").write_text("from: scratch\narchive: trixie\npackages: [tini]\n")
    (root / "apps/app.yaml").write_text(_APP)
    placed = "".join(f"  i{number}: {{app: app}}\n" for number in range(_INSTANCES))
    (root / "hosts/one.yaml").write_text(f"scheduler: {scheduler}\ninstances:\n{placed}")
