"""`gitops status`: say what runs on this host."""

from gitops.cli.options import FleetOption, HostOption, JsonOption


def status(fleet: FleetOption = None, host: HostOption = None, json: JsonOption = False) -> None:
    """Say what runs on this host, beside what should."""
    from gitops.agent.host import want
    from gitops.agent.status import rows
    from gitops.cli.options import fleet_root
    from gitops.engine.docker import Docker
    from gitops.system.places import places

    wanted = want(fleet_root(fleet), host, places())
    found = rows(wanted.desired, Docker().containers(wanted.fleet.settings.name, wanted.host))
    if json:
        from dataclasses import asdict
        from json import dumps

        from gitops.system.clock import stamp

        table = [{**asdict(row), "created": row.created and stamp(row.created)} for row in found]
        print(dumps({"host": wanted.host, "containers": table}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table("instance", "service", "state", "health", "image", "since", box=None, pad_edge=False)
    for row in found:
        image = row.image if row.current or row.state == "missing" else f"{row.image} (outdated)"
        shown.add_row(row.instance, row.service, row.state, row.health or "-", image, row.status)
    Console(highlight=False).print(shown if found else f"{wanted.host}: nothing runs here")
