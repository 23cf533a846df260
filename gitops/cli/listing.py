"""`gitops backup list`: which backups there are."""

from itertools import groupby
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
    import json

    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.report.newest import newest
    from gitops.system.clock import stamp
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    with open_vault(loaded, here, places()) as vault:
        sets = [one for one in vault.sets(safety=None) if not instances or one.instance in instances]
    sets.sort(key=lambda one: (one.instance, one.time))
    proved = {name: stamp(one.started) for name, one in newest(places(), "drill", good=True).items()}
    if as_json:
        print(json.dumps([_entry(one, proved.get(one.instance)) for one in sets], indent=2))
        return
    for instance, own in groupby(sets, key=lambda one: one.instance):
        for one in own:
            print(_line(one))
        said = (
            f"last proved by a drill at {proved[instance]}"
            if instance in proved
            else "no drill has proved any"
        )
        print(f"{instance}: {said}")
    if not sets:
        print("no backups yet")


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


def _line(one: "BackupSet") -> str:
    from gitops.backup.run import failure
    from gitops.cli.sizes import readable
    from gitops.system.clock import stamp

    what = ", ".join(str(part.dataset) for part in one.parts)
    if one.safety:
        what = f"kept by a restore: {what}"
    if not one.complete:
        what = f"failed: {failure(one) or 'it is empty'}"
    return f"{one.instance} {one.short} {stamp(one.time)} {readable(one.size)}  {what}"
