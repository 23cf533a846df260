"""`gitops backup`: which verbs there are; and `gitops backup run`, which makes backups."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.caring import check, mount, prune
from gitops.cli.drilling import drill
from gitops.cli.listing import list_sets
from gitops.cli.options import FleetOption, HostOption
from gitops.cli.restoring import restore
from gitops.cli.saying import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitops.fleet.fleet import Fleet

app = typer.Typer(help="Back up databases and volumes, and restore them.", no_args_is_help=True)


@app.command()
def run(
    instances: Annotated[list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Instances.")] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Back up every instance of this host.")] = False,
) -> None:
    """Back up instances in one run: of each, all databases and volumes in one set, which is whole or failed.

    Exit status 1 when a set failed; it stands in the list with what failed and why, and is no backup.
    """
    from gitops.backup.run import back_up, failure
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.cli.progress import shown
    from gitops.engine.docker import Docker
    from gitops.system.complaint import complain
    from gitops.system.places import places

    if bool(instances) == everything:
        raise typer.BadParameter("name instances, or say --all")
    loaded, here = deployed(fleet, host)
    wanted = [loaded.instance(here, name) for name in sorted(set(instances or _backed_up(loaded, here)))]
    if not wanted:
        print(f"no instance on {here} is backed up")
        return
    with open_vault(loaded, here, places()) as vault, Docker() as engine, shown() as progress:
        made = back_up(vault, engine, wanted, places(), tell=say, progress=progress)
    for one in made:
        if one.complete:
            print(f"{one.instance}: backup {one.short} is complete")
        else:
            complain(f"no backup of {one.instance} was made: {failure(one)}")
    raise typer.Exit(0 if all(one.complete for one in made) else 1)


app.command("list")(list_sets)
for _verb in (restore, drill, check, prune, mount):
    app.command()(_verb)


def _backed_up(fleet: "Fleet", host: str) -> "Iterator[str]":
    for name, one in fleet.instances(host).items():
        if one.definition.backup and (one.definition.backup.databases or one.definition.backup.volumes):
            yield name
