"""The quick answer to the agent's usual question: is this host still what it was made?

What a host is to be follows from the commit, the host and this program alone. So the answer once worked out
is kept in the cache under exactly these, and the next apply needs neither read nor work out the definitions
again: one question to git, one to the engine. Whatever does not fit leads to the long way, and losing the
cache costs only time.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from gitops.agent.generation import cron_environment
from gitops.agent.rollback import instead_of
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import format_digests
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.program import program
from gitops.system.run import run


def still_so(commit: str | None, host: str | None, engine: Docker, places: Places) -> str | None:
    """Give the host's name when there is nothing to do for it; None when that must be worked out.

    Args:
        commit: git's newest; None where something is not committed.
        host: the host's name as the user gave it.
        engine: asked once for the host's containers.
        places: the host's directories.
    """
    if commit is None:
        return None
    commit = instead_of(commit, places)
    try:
        kept = json.loads(_path(commit, host, places).read_text())
        current = (places.state / "current").readlink().name
        running_host = (places.state / "host").read_text().strip()
    except (FileNotFoundError, ValueError):
        return None
    if (current, running_host, _schedule(kept["fleet"], places)) != (commit, kept["host"], kept["schedule"]):
        return None
    with exclusive(places.runtime / "apply.lock", "this host's engine"):
        seen = engine.containers(kept["fleet"], kept["host"])
    return kept["host"] if _works(seen) and _summary(seen) == kept["containers"] else None


def remember(
    commit: str, asked_host: str | None, host: str, fleet: str, seen: Iterable[Observed], places: Places
) -> None:
    """Keep what a host that is as it should be looks like; only what always runs can be told quickly.

    Args:
        commit: the commit that it was made from.
        asked_host: the host's name as the user gave it.
        host: the host.
        fleet: the fleet's name.
        seen: its containers, all of which are as they should be.
        places: the host's directories.
    """
    path = _path(commit, asked_host, places)
    containers = list(seen)
    if _works(containers):
        kept = {
            "host": host,
            "fleet": fleet,
            "containers": _summary(containers),
            "schedule": _schedule(fleet, places),
        }
        for old in path.parent.glob("*.json"):
            if old != path:
                old.unlink(missing_ok=True)
        write(path, json.dumps(kept))


def clean_commit(repository: Path) -> str | None:
    """Give HEAD's commit, when nothing below the fleet's directory differs from it; one question to git."""
    options = ("--porcelain=v2", "--branch", "--untracked-files=all")
    told = run(["git", "--no-optional-locks", "-C", repository, "status", *options, "--", "."], check=False)
    lines = told.stdout.splitlines()
    commits = [line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")]
    clean = told.status == 0 and all(line.startswith("# ") for line in lines)
    return commits[0] if clean and commits else None


def _path(commit: str, host: str | None, places: Places) -> Path:
    key = json.dumps([commit, host, str(places), cron_environment(), program()])
    return places.cache / "unchanged" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _schedule(fleet: str, places: Places) -> str:
    path = places.cron / f"gitops-{fleet}"
    return path.read_text() if path.exists() else ""


def _works(containers: Iterable[Observed]) -> bool:
    return all(
        one.state == "running" and one.health in {"", "healthy"} and not one.just_started
        for one in containers
    )


def _summary(containers: Iterable[Observed]) -> list[list[str]]:
    return [[one.name, format_digests(dict(one.digests)), *one.networks] for one in containers]
