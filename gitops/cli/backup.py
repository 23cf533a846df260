"""`gitops backup`: which verbs there are; and `gitops backup run`, which makes backups."""

from typing import Annotated

import typer

from gitops.cli.caring import check, mount, prune
from gitops.cli.drilling import drill
from gitops.cli.listing import list_sets
from gitops.cli.options import FleetOption, HostOption
from gitops.cli.restoring import restore

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
    from gitops.cli.backing_up import back_up

    if bool(instances) == everything:
        raise typer.BadParameter("name instances, or say --all")
    raise typer.Exit(back_up(instances or (), fleet, host))


app.command("list")(list_sets)
for _verb in (restore, drill, check, prune, mount):
    app.command()(_verb)
