"""What `gitops backup drill` does; apart from the verb, which needs typer."""

from collections.abc import Sequence
from pathlib import Path


def prove(names: Sequence[str], fleet: Path | None, host: str | None) -> int:
    """Drill instances, one after the other, and give the exit status: 1 when one is not proved.

    Args:
        names: theirs; none: every instance of the host that has anything to back up.
        fleet: the fleet's directory; None: the one that this host runs.
        host: the host's name; None: as `deployed` finds it.

    Raises:
        UserError: nothing could be tried.
    """
    from gitops.agent.drill import drill
    from gitops.backup.standing import backed_up
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.cli.progress import shown
    from gitops.cli.saying import say
    from gitops.deploy.host import wanted_of
    from gitops.engine.docker import Docker
    from gitops.system.complaint import complain
    from gitops.system.errors import UserError
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    place = places()
    goal = wanted_of(loaded, here, place)
    failed = False
    with shown() as progress, open_vault(loaded, here, place, progress) as vault, Docker() as engine:
        for name in names or sorted(one.instance for one in backed_up(loaded.instances(here).values())):
            try:
                proved = drill(vault, engine, goal, name, place, tell=say)
                print(f"{name}: backup {proved.short} is proved", flush=True)
            except UserError as error:
                complain(error)
                failed = True
    return 1 if failed else 0
