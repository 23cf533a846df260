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
    gc.set_threshold(100_000)  # as the program does, gitops/__main__.py
    cron, systemd = (_seconds(scheduler) for scheduler in ("cron", "systemd"))
    return Figure(
        f"manifests of {_INSTANCES:,} instances x {_JOBS} jobs, cron",
        f"units of the same, systemd: {2 * _INSTANCES * _JOBS:,} files more",
        cron,
        systemd,
        None,
        Limit(cron * 1000, _MOST, "ms"),
    )


def _seconds(scheduler: str) -> float:
    took = []
    for _ in range(5):
        directory = Path(tempfile.mkdtemp(prefix="gitops-bench-"))
        try:
            _define(directory, scheduler)
            fleet = load(directory)
            begun = time.perf_counter()
            files = {
                f"rendered/hosts/one/{path}": text for path, text in schedule_files(fleet, "one").items()
            }
            write(directory, files)
            took.append(time.perf_counter() - begun)
            assert len(files) >= _INSTANCES  # noqa: S101
        finally:
            shutil.rmtree(directory)
    return statistics.median(took)


def _define(root: Path, scheduler: str) -> None:
    for name in ("images", "apps", "hosts"):
        (root / name).mkdir()
    (root / "fleet.yaml").write_text(_FLEET)
    (root / "images/web.yaml").write_text("from: scratch\narchive: trixie\npackages: [tini]\n")
    (root / "apps/app.yaml").write_text(_APP)
    placed = "".join(f"  i{number}: {{app: app}}\n" for number in range(_INSTANCES))
    (root / "hosts/one.yaml").write_text(f"scheduler: {scheduler}\ninstances:\n{placed}")
