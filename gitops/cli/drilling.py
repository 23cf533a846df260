"""`gitops backup drill`: prove backups by restoring them into throw-away instances."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption
from gitops.cli.saying import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitops.fleet.fleet import Instance


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
    from gitops.agent.drill import drill as prove
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.deploy.host import wanted_of
    from gitops.engine.docker import Docker
    from gitops.system.complaint import complain
    from gitops.system.errors import UserError
    from gitops.system.places import places

    if bool(instances) == everything:
        raise typer.BadParameter("name instances, or say --all")
    loaded, here = deployed(fleet, host)
    place = places()
    goal = wanted_of(loaded, here, place)
    failed = False
    with open_vault(loaded, here, place) as vault, Docker() as engine:
        for name in instances or sorted(_backed_up(loaded.instances(here))):
            try:
                proved = prove(vault, engine, goal, name, place, tell=say)
                print(f"{name}: backup {proved.short} is proved", flush=True)
            except UserError as error:
                complain(error)
                failed = True
    raise typer.Exit(1 if failed else 0)


def _backed_up(instances: "Mapping[str, Instance]") -> "Iterator[str]":
    for name, one in instances.items():
        if one.definition.backup and (one.definition.backup.databases or one.definition.backup.volumes):
            yield name
