"""`gitops backup list`: which backups there are."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from gitops.backup.sets import BackupSet


def list_sets(
    instances: Annotated[
        list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Instances; none: every one.")
    ] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the backups of instances, oldest first; those that failed, and why; when a drill proved them last.

    The size is that of the data; what the repository needs for them is less. What restores have kept of what
    was there before is listed, too: `restore --snapshot ID` brings it back.
    """
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.cli.document import emit
    from gitops.cli.table import show
    from gitops.report.newest import newest
    from gitops.system.clock import local, stamp
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    with open_vault(loaded, here, places()) as vault:
        sets = [one for one in vault.sets(safety=None) if not instances or one.instance in instances]
    sets.sort(key=lambda one: (one.instance, one.time))
    proved = {name: one.started for name, one in newest(places(), "drill", good=True).items()}
    if as_json:
        times = {name: stamp(at) for name, at in proved.items()}
        emit(backups=[_entry(one, times.get(one.instance)) for one in sets])
        return
    if not sets:
        print("no backups yet")
        return
    show(("instance", "backup", "when", "size", "what"), [_row(one) for one in sets], spare=("size",))
    for instance in dict.fromkeys(one.instance for one in sets):
        at = proved.get(instance)
        print(f"{instance}: {f'last proved by a drill at {local(at)}' if at else 'no drill has proved any'}")


def _entry(one: "BackupSet", proved: str | None) -> dict[str, object]:
    from gitops.system.clock import stamp

    return {
        "instance": one.instance,
        "id": one.id,
        "time": stamp(one.time),
        "complete": one.complete,
        "safety": one.safety,
        "size": one.size,
        "stood_still": one.stood_still,
        "datasets": [
            {"name": str(part.dataset), "size": part.size, "snapshot": part.snapshot, "path": part.path}
            for part in one.parts
        ],
        "failed": [{"name": str(dataset), "why": why} for dataset, why in one.failed],
        "proved": proved,
    }


def _row(one: "BackupSet") -> tuple[str, ...]:
    from gitops.backup.run import failure
    from gitops.cli.sizes import readable
    from gitops.system.clock import local

    what = ", ".join(str(part.dataset) for part in one.parts)
    if one.safety:
        what = f"kept by a restore: {what}"
    if not one.complete:
        what = f"failed: {failure(one) or 'it is empty'}"
    return (one.instance, one.short, local(one.time), readable(one.size), what)
