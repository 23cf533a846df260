"""The container engine: whether it answers, is new enough, and can build."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine
from gitops.engine.buildkit import find
from gitops.engine.connection import address, ask

_OLDEST = (20, 10)
_SWIFT = {"overlay2", "overlayfs", "btrfs", "zfs", "fuse-overlayfs"}


def check(_machine: Machine) -> Iterator[Finding]:
    """Ask the engine what it is, and look for a client that builds."""
    yield from _engine()
    client = find()
    yield ok(f"{client.client} builds with BuildKit")


def _engine() -> Iterator[Finding]:
    socket = Path(address().removeprefix("unix://"))
    if socket.exists() and not os.access(socket, os.R_OK | os.W_OK, effective_ids=True):
        advice = "as root: adduser YOU docker; then log in again. Who may use the engine is as good as root"
        yield problem(f"you may not use the engine at {socket}", advice)
        return
    version = str(ask("the engine's version", "/version")["Version"])
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        yield problem(f"the engine is version {version}", "install 20.10 or newer: Debian's docker.io")
    else:
        yield ok(f"version {version} answers at {socket}")
    info = ask("what the engine is", "/info")
    driver = str(info["Driver"])
    if driver in _SWIFT:
        yield ok(f"layers are kept by {driver}, in {info['DockerRootDir']}")
    else:
        advice = "every container costs a copy of its image; overlay2 on ext4, xfs or btrfs does not"
        yield warning(f"layers are kept by {driver}, in {info['DockerRootDir']}", advice)
