"""In which container a job is to run, and waiting for it while its service is down or being replaced."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gitops.engine import labels
from gitops.engine.connection import AwayError, ask
from gitops.engine.names import BEFORE, OVER
from gitops.jobs.definition import Definition


class Place(NamedTuple):
    """A running container: the engine's id, and the commit it was made from."""

    container: str
    generation: str


class MissedError(Exception):
    """The service did not run in time; the message says how it was."""


def find(job: Definition, patience: float) -> Place:
    """Give the container of a job's service, once it runs and nothing is about to take its place.

    Args:
        job: the job.
        patience: seconds to wait for that. One that runs at their end will do, even if it is being replaced.

    Raises:
        MissedError: none ran in time.
    """
    deadline, pause = time.monotonic() + patience, 0.1
    while True:
        try:
            entries = _entries(job)
            reason = f"{job.instance}/{job.service} is not running"
        except AwayError:
            entries, reason = [], "no container engine answers"
        place, settled = choose(entries)
        late = time.monotonic() >= deadline
        if place and (settled or late):
            return place
        if late:
            raise MissedError(reason)
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(1.5 * pause, 2.0)


def choose(entries: Iterable[Mapping[str, Any]]) -> tuple[Place | None, bool]:
    """Choose among the containers of a service, as the engine lists them.

    Returns:
        One that runs, the newest rather than one that stands aside; and whether it is there to stay: it is
        not just starting, and none stands aside.
    """
    found = list(entries)
    running = sorted((one for one in found if one["State"] == "running"), key=_stands_aside)
    if not running:
        return None, False
    first = running[0]
    settled = not any(map(_stands_aside, found)) and "(health: starting)" not in first["Status"]
    return Place(first["Id"], first["Labels"].get(labels.GENERATION, "")), settled


def _stands_aside(entry: Mapping[str, Any]) -> bool:
    return any(name.endswith((BEFORE, OVER)) for name in entry["Names"])


def _entries(job: Definition) -> list[dict[str, Any]]:
    wanted = {
        labels.FLEET: job.fleet,
        labels.HOST: job.host,
        labels.INSTANCE: job.instance,
        labels.SERVICE: job.service,
    }
    filters = json.dumps({"label": [f"{key}={value}" for key, value in wanted.items()]})
    found: list[dict[str, Any]] = ask(
        "cannot list containers", f"/containers/json?all=1&filters={_quoted(filters)}"
    )
    return found


def _quoted(text: str) -> str:
    """Write a text as part of a URL (RFC 3986, 2.1); importing urllib takes longer than the call."""
    return "".join(f"%{byte:02X}" for byte in text.encode())
