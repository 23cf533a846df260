"""The quick answer to the agent's usual question: is this host still what it was made?

What a host is to be follows from the commit, the host and this program alone. So the answer once worked out
is kept in the cache under exactly these, and the next apply needs neither read nor work out the definitions
again: one question to git, one to the engine. That instances are left as they are because they failed is part
of the answer, for as long as the failures are remembered. Whatever does not fit leads to the long way, and
losing the cache costs only time.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitops.agent.rollback import instead_of
from gitops.backup.cut_short import any_cut_short
from gitops.deploy.as_made import summary, works
from gitops.deploy.failures import Failures
from gitops.deploy.schedule import installation, schedule_summary
from gitops.engine.docker import Docker
from gitops.engine.held import any_held, engine_lock
from gitops.engine.observed import Observed
from gitops.system.errors import Problem, UserError
from gitops.system.files import write
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.program import program
from gitops.system.run import run


@dataclass(frozen=True)
class Settled:
    """A host for which there is nothing to do.

    Args:
        host: its name.
        held: what git says and it is not, because that failed, a line each.
    """

    host: str
    held: tuple[str, ...] = ()

    @property
    def error(self) -> UserError | None:
        """Give what there is to say of it as an error; None where it is as git says."""
        return UserError.of([Problem(message=line) for line in self.held]) if self.held else None


def still_so(commit: str | None, host: str | None, engine: Docker, places: Places) -> Settled | None:
    """Tell when there is nothing to do for a host; None when that must be worked out.

    Args:
        commit: git's newest; None where something is not committed.
        host: the host's name as the user gave it.
        engine: asked once for the host's containers.
        places: the host's directories.
    """
    if commit is None or any_held(places) or any_cut_short(places):
        return None
    commit = instead_of(commit, places)
    try:
        kept = json.loads(_path(commit, host, places).read_text())
        current = (places.state / "current").readlink().name
        running_host = (places.state / "host").read_text().strip()
    except (FileNotFoundError, ValueError):
        return None
    if (current, running_host, schedule_summary(kept["fleet"], places)) != (
        commit,
        kept["host"],
        kept["schedule"],
    ):
        return None
    if _failed(places) != kept["failed"]:
        return None
    with exclusive(engine_lock(places), "this host's engine"):
        seen = engine.containers(kept["fleet"], kept["host"])
    if not works(seen) or summary(seen) != kept["containers"]:
        return None
    return Settled(kept["host"], tuple(kept["held"]))


def remember(
    commit: str,
    asked_host: str | None,
    fleet: str,
    settled: Settled,
    seen: Sequence[Observed],
    places: Places,
) -> None:
    """Keep what a host for which there is nothing to do looks like, until something of it is another.

    What waits for room on a disk shows nowhere, and is worked out each time.

    Args:
        commit: the commit that it was made from.
        asked_host: the host's name as the user gave it.
        fleet: the fleet's name.
        settled: the host, and what is held there.
        seen: its containers, for none of which there is anything to do.
        places: the host's directories.
    """
    path = _path(commit, asked_host, places)
    waits = any(failure.full for failure in Failures(places.state).read().values())
    if works(seen) and not waits:
        kept = {
            "host": settled.host,
            "held": settled.held,
            "fleet": fleet,
            "containers": summary(seen),
            "failed": _failed(places),
            "schedule": schedule_summary(fleet, places),
        }
        for old in path.parent.glob("*.json"):
            if old != path:
                old.unlink(missing_ok=True)
        with suppress(OSError):
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
    key = json.dumps([commit, host, str(places), installation(), program()])
    return places.cache / "unchanged" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _failed(places: Places) -> list[str]:
    """List the instances of which a failure is remembered; a person may make one be forgotten."""
    return sorted(Failures(places.state).read())
