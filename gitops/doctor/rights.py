"""What whoever runs this may do: write to gitops's places, and give the scheduler its manifests."""

import os
from collections.abc import Iterator
from pathlib import Path

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine


def check(machine: Machine) -> Iterator[Finding]:
    """Try every place."""
    places = machine.places
    unwritable = [
        f"{name} ({place})"
        for name, place in places._asdict().items()
        if name not in {"cron", "systemd"} and not _writable(place)
    ]
    for place in unwritable:
        yield problem(f"you may not write to {place}", "run it as root, or move it: docs/architecture.md")
    if os.geteuid() == 0:
        yield ok("you are root")
    elif machine.host:
        yield warning(
            f"you are not root: cron and systemd do not read {places.cron}",
            "jobs and backups run by themselves where gitops is run as root",
        )
    elif not unwritable:
        yield ok("you are not root, and have places of your own")


def _writable(place: Path) -> bool:
    while not place.exists():
        place = place.parent
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK, effective_ids=True)
