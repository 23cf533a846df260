"""`gitops plan`: say what apply would do."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitops.deploy.plan import Plan


def plan(
    fleet: FleetOption = None,
    host: HostOption = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when there is something to do.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what apply would do, and why.

    The definitions are read as they are in the directory, committed or not; nothing is changed. For a host
    that is not this machine, and that reports, the plan is made against what it said last.
    """
    from gitops.agent.change import left
    from gitops.agent.generation import runs_here
    from gitops.agent.reported import fetch
    from gitops.cli.options import fleet_root
    from gitops.cli.table import show
    from gitops.deploy.host import look, package_changes, want
    from gitops.deploy.plan import plan as work_out
    from gitops.deploy.schedule import schedule_changes
    from gitops.engine.docker import Docker
    from gitops.git.repository import Repository
    from gitops.render.schedule import schedule_files
    from gitops.system.places import places

    root, place = fleet_root(fleet), places()
    wanted = want(root, host, place)
    git = Repository(root)
    reported = None
    if wanted.fleet.hosts[wanted.host].report and not runs_here(wanted.host, place):
        reported = fetch(git, wanted)
        wanted = want(root, wanted.host, place._replace(runtime=reported.runtime))
    seen = reported.engine if reported else look(Docker(), wanted, place)
    found = work_out(wanted.desired, seen, package_changes(wanted, git, place))
    files = schedule_files(wanted.fleet, wanted.host)
    schedule = [] if reported else schedule_changes(files, wanted.fleet.settings.name, place)
    if json:
        from gitops.cli.document import emit

        actions = [
            {"action": str(one.kind), "subject": one.subject, "reason": one.reason} for one in found.actions
        ]
        actions += [{"action": "schedule", "subject": wanted.host, "reason": line} for line in schedule]
        held = [
            {"instance": one.instance, "result": str(one.result), "reason": one.reason} for one in found.held
        ]
        emit(host=wanted.host, reported=reported and reported.time, actions=actions, held=held)
    else:
        if reported:
            print(reported)
        told = rows(found, schedule, wanted.host)
        if told:
            show(("action", "what", "why"), told, [f"{does} {what}: {why}" for does, what, why in told])
        for problem in left(found.held, ()):
            print(problem.message)
        if not (told or found.held):
            print(f"{wanted.host}: nothing to do")
    if exit_code and (found or schedule or found.held):
        raise typer.Exit(1)


def rows(plan: "Plan", schedule: "Sequence[str]", host: str) -> list[tuple[str, str, str]]:
    """Give what a plan will do, in its order: action, what it is done to, and why."""
    found = [(str(one.kind), one.subject, one.reason) for one in plan.actions]
    return found + [("schedule", host, line) for line in schedule]
