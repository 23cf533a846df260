"""Room on the disks of gitops's places and of the engine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine
from gitops.engine.connection import ask
from gitops.system.errors import UserError

_LITTLE, _FEW = 5e9, 1e9
_INODES = 0.02
"""Bytes below which an image may not fit, and below which nothing does; and a part of a disk's files."""


def check(machine: Machine) -> Iterator[Finding]:
    """Look at each disk once, whatever lies on it."""
    wanted = {"state": machine.places.state, "cache": machine.places.cache}
    with suppress(UserError):  # the check of the engine says so
        wanted["engine"] = Path(ask("where the engine keeps its things", "/info")["DockerRootDir"])
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, place in wanted.items():
        there = _there(place)
        disks.setdefault(there.stat().st_dev, (there, []))[1].append(name)
    for there, names in disks.values():
        yield from _disk(there, " and ".join(names))


def _disk(there: Path, names: str) -> Iterator[Finding]:
    free, files = shutil.disk_usage(there).free, os.statvfs(there)
    words = f"{free / 1e9:.1f} GB are free for {names}, at {there}"
    advice = "gitops volume list shows volumes that nothing has any more, docker system df the rest"
    if free < _FEW:
        yield problem(words, advice)
    elif free < _LITTLE:
        yield warning(words, advice)
    else:
        yield ok(words)
    if files.f_files and files.f_favail < files.f_files * _INODES:
        yield problem(
            f"{files.f_favail} more files fit on the disk of {there}", "remove some; df -i shows them"
        )


def _there(place: Path) -> Path:
    """Give the nearest directory that exists and may be entered."""
    while not (place.is_dir() and os.access(place, os.X_OK, effective_ids=True)):
        place = place.parent
    return place
