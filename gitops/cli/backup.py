"""`gitops backup`: back up instances, list their backups, restore one."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from gitops.backup.restic import Restic
    from gitops.fleet.backups import Repository
    from gitops.fleet.fleet import Fleet

app = typer.Typer(help="Back up databases and volumes, and restore them.", no_args_is_help=True)

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

    from gitops.backup.run import back_up
    from gitops.cli.deployed import deployed
    from gitops.engine.docker import Docker
    from gitops.system.errors import UserError
    from gitops.system.places import places

    if bool(instances) == everything:
        raise typer.BadParameter("name instances, or say --all")
    loaded, here = deployed(fleet, host)
    restic, wanted = _repository(loaded, here)
    engine = Docker()
    failed = False
    for name in instances or _with_backup(loaded, here):
        try:
            instance = loaded.instance(here, name)
            done = back_up(engine, restic, loaded.settings.name, instance, wanted.keep, places(), tell=print)
            print(f"{name}: backup {done.short} is complete")
        except UserError as error:
            print(error, file=sys.stderr)
            failed = True
    raise typer.Exit(1 if failed else 0)


@app.command("list")
def list_sets(
    instances: InstancesArgument = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the complete backups of instances, oldest first."""
    import json

    from gitops.backup.restore import backup_sets
    from gitops.cli.deployed import deployed
    from gitops.system.clock import stamp

    loaded, here = deployed(fleet, host)
    restic, _ = _repository(loaded, here)
    rows = [
        {
            "instance": name,
            "id": one.short,
            "time": stamp(one.time),
            "datasets": [str(dataset) for dataset, _ in one.parts],
        }
        for name in instances or _with_backup(loaded, here)
        for one in backup_sets(restic, loaded.settings.name, name)
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(f"{row['instance']} {row['id']} {row['time']}  {', '.join(row['datasets'])}")
    if not rows:
        print("no backups yet")


@app.command()
def restore(
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance.")],
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="ID", help="Which backup; otherwise the newest.")
    ] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
) -> None:
    """Bring an instance back to what a backup holds; what it has now in these datasets is lost.

    Everything is fetched and loaded beside the running instance first. Then its services stop for a
    moment while old and new change places. Until then, an interruption leaves everything as it was.
    """
    from gitops.backup.restore import backup_sets, choose
    from gitops.backup.restore import restore as bring_back
    from gitops.cli.deployed import deployed
    from gitops.engine.docker import Docker
    from gitops.system.clock import stamp
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    restic, _ = _repository(loaded, here)
    name = loaded.settings.name
    chosen = choose(backup_sets(restic, name, instance), instance, snapshot)
    bring_back(Docker(), restic, name, loaded.instance(here, instance), chosen, places(), tell=print)
    print(f"{instance}: restored to {stamp(chosen.time)} (backup {chosen.short})")


def _repository(fleet: "Fleet", host: str) -> "tuple[Restic, Repository]":
    from gitops.backup.restic import open_repository
    from gitops.system.errors import UserError
    from gitops.system.places import places

    wanted = fleet.hosts[host].backup
    if wanted is None:
        raise UserError(
            f"the host {host} has no backup repository",
            hint=f"add backup: {{repository: …}} to hosts/{host}.yaml",
        )
    return open_repository(wanted.repository, host, places()), wanted


def _with_backup(fleet: "Fleet", host: str) -> list[str]:
    return sorted(name for name, one in fleet.instances(host).items() if one.definition.backup)
