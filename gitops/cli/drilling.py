"""`gitops backup drill`: prove backups by restoring them into throw-away instances."""

from typing import Annotated

import typer

from gitops.cli.options import FleetOption, HostOption
from gitops.cli.proving import prove


def drill(
    instances: Annotated[list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Instances.")] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every instance of this host that has a backup.")
    ] = False,
) -> None:
    """Restore the newest backup of instances beside them, see that it works, and remove it again.

    The copy has networks of its own that lead nowhere, and publishes no ports; nothing real is touched. Its
    databases must be what was dumped, its services well, and the app's `verify` answered. Exit status 1 when
    a backup is not proved.
    """
    if bool(instances) == everything:
        raise typer.BadParameter("name instances, or say --all")
    raise typer.Exit(prove(instances or (), fleet, host))
