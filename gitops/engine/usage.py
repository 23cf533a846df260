"""What containers use of the machine, against what they may (Engine API, GET /containers/ID/stats)."""

import contextlib
import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops.engine.connection import ask
from gitops.system.errors import UserError

_SIDE_BY_SIDE = 16


@dataclass(frozen=True)
class Usage:
    """What one container uses.

    Args:
        at: when this was so, UTC.
        cpu: seconds of processor time since it started.
        memory: bytes, without the file cache that can be dropped.
        memory_limit: bytes that it may use; None where all of the machine's.
        processes: how many processes and threads it has.
        processes_limit: how many it may have; None for any number.
    """

    at: datetime
    cpu: float
    memory: int
    memory_limit: int | None
    processes: int
    processes_limit: int | None

    def cores_since(self, earlier: "Usage") -> float | None:
        """Give how many cores it used on average since an earlier look; None where that cannot be told."""
        seconds = (self.at - earlier.at).total_seconds()
        used = self.cpu - earlier.cpu
        return used / seconds if seconds > 0 and used >= 0 else None


def usage(containers: Collection[str]) -> dict[str, Usage]:
    """Ask about running containers, by id, several at a time; one that cannot be asked about is left out."""
    if not containers:
        return {}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = zip(containers, pool.map(_one, containers), strict=True)
        return {container: each for container, each in found if each}


def _one(container: str) -> Usage | None:
    with contextlib.suppress(UserError, KeyError, ValueError):
        told = ask("cannot ask what it uses", f"/containers/{container}/stats?stream=false&one-shot=true")
        return _usage(told)
    return None


def _usage(told: dict[str, Any]) -> Usage:
    memory, processes = told["memory_stats"], told["pids_stats"]
    # As docker stats counts, on control groups of version 1 and of version 2.
    dropped = memory["stats"].get("total_inactive_file", memory["stats"].get("inactive_file", 0))
    limit = memory.get("limit", 0)
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    most = processes.get("limit") or 0
    return Usage(
        at=_time(told["read"]),
        cpu=told["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        memory=max(0, memory["usage"] - dropped),
        memory_limit=limit if 0 < limit < machine else None,
        processes=processes.get("current", 0),
        processes_limit=most if 0 < most < 1 << 32 else None,
    )


def _time(text: str) -> datetime:
    """Read a time with nanoseconds, of which Python keeps microseconds."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00")
