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
    if not found:
        print(f"{wanted.host}: nothing runs here")
        return
    lines = [("instance", "service", "state", "health", "image", "since")]
    for row in found:
        outdated = "" if row.current or row.state == "missing" else " (outdated)"
        image = f"{row.image}{outdated}"
        lines.append((row.instance, row.service, row.state, row.health or "-", image, row.status))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
