"""A host compared with what its fleet says of it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from gitops.agent.standing import Standing, stands
from gitops.backup.standing import backed_up
from gitops.deploy.as_made import works
from gitops.deploy.host import Wanted, look, want
from gitops.deploy.plan import Engine, Plan, plan
from gitops.deploy.status import rows
from gitops.engine.docker import Docker
from gitops.engine.usage import Usage, usage
from gitops.system.clock import now
from gitops.system.places import Places


def standing(
    root: Path, host: str | None, engine: Docker, places: Places, earlier: dict[str, Usage] | None = None
) -> Standing:
    """Look at a host.

    Args:
        root: the fleet's directory, or a copy of it that a host keeps.
        host: its name; None: see `want`.
        engine: the host's engine.
        places: the host's directories.
        earlier: what containers used at the look before; tells how busy they were since.
    """
    return standing_of(want(root, host, places), engine, places, earlier)


def standing_of(
    wanted: Wanted,
    engine: Docker | None,
    places: Places,
    earlier: dict[str, Usage] | None = None,
    *,
    use: bool = True,
    at: datetime | None = None,
) -> Standing:
    """Look at a host whose definitions are read already; otherwise as `standing`.

    Without `use`, nobody asks what containers use, which is a question for each. Without an engine, which
    somebody found not to answer, no container is known. `at` is the present time.
    """
    at = at or now()
    seen = look(engine, wanted, places) if engine else Engine()
    steps = plan(wanted.desired, seen) if engine else Plan()
    used = usage([one.id for one in seen.containers if one.state == "running"]) if use else {}
    found = rows(wanted.desired, seen.containers, steps, used, earlier) if engine else []
    backups = backed_up(wanted.fleet.instances(wanted.host).values())
    settled = engine is not None and steps == Plan() and works(seen.containers)
    return replace(
        stands(wanted.host, found, backups, places, at, answers=engine is not None),
        used=used,
        held=steps.held,
        settled=seen.containers if settled else None,
    )
