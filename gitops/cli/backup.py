"""`gitops backup`: back up instances, list their backups, restore one."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption
from gitops.cli.restoring import restore

if TYPE_CHECKING:
    from gitops.fleet.fleet import Fleet

app = typer.Typer(help="Back up databases and volumes, and restore them.", no_args_is_help=True)

app.command()(restore)

InstancesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Instances; none: every one.")
]


@app.command()
def run(
    instances: Annotated[list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Instances.")] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Back up every instance of this host.")] = False,
) -> None:
    """Make a backup of instances: databases and volumes in one set, or none at all."""
    import sys

    from gitops.backup.run import back_up, failure
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.engine.docker import Docker
    from gitops.system.places import places

    if bool(instances) == everything:
        raise typer.BadParameter("name instances, or say --all")
    loaded, here = deployed(fleet, host)
    wanted = [loaded.instance(here, name) for name in sorted(set(instances or _with_backup(loaded, here)))]
    with open_vault(loaded, here, places()) as vault, Docker() as engine:
        made = back_up(vault, engine, wanted, places(), tell=print)
    for one in made:
        if one.complete:
            print(f"{one.instance}: backup {one.short} is complete")
        else:
            print(f"no backup of {one.instance} was made: {failure(one)}", file=sys.stderr)
    raise typer.Exit(0 if all(one.complete for one in made) else 1)


@app.command("list")
def list_sets(
    instances: InstancesArgument = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the backups of instances, oldest first, and those that failed."""
    import json

    from gitops.backup.run import failure
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.system.clock import stamp
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    with open_vault(loaded, here, places()) as vault:
        sets = [one for one in reversed(vault.sets()) if not instances or one.instance in instances]
    rows = [
        {
            "instance": one.instance,
            "id": one.short,
            "time": stamp(one.time),
            "datasets": [str(part.dataset) for part in one.parts],
            "failed": failure(one),
        }
        for one in sets
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        failed = f"  failed: {row['failed']}" if row["failed"] else ""
        print(f"{row['instance']} {row['id']} {row['time']}  {', '.join(row['datasets'])}{failed}")
    if not rows:
        print("no backups yet")


def _with_backup(fleet: "Fleet", host: str) -> list[str]:
    return sorted(name for name, one in fleet.instances(host).items() if one.definition.backup)
