"""`gitops plan`: say what apply would do."""

from typing import Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption


def plan(
    fleet: FleetOption = None,
    host: HostOption = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when there is something to do.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what apply would do, and why.

    The definitions are read as they are in the directory, committed or not; nothing is changed.
    """
    from gitops.agent import host as hosts
    from gitops.agent.plan import plan as work_out
    from gitops.cli.options import fleet_root
    from gitops.engine.docker import Docker
    from gitops.git.repository import Repository
    from gitops.system.places import places

    root = fleet_root(fleet)
    wanted = hosts.want(root, host, places())
    found = work_out(
        wanted.desired,
        hosts.look(Docker(), wanted),
        hosts.package_changes(wanted, Repository(root), places()),
    )
    if json:
        from json import dumps

        actions = [
            {"action": str(one.kind), "subject": one.subject, "reason": one.reason} for one in found.actions
        ]
        print(dumps({"host": wanted.host, "actions": actions}, indent=2))
    else:
        print("\n".join(map(str, found.actions)) or f"{wanted.host}: nothing to do")
    if exit_code and found:
        raise typer.Exit(1)
