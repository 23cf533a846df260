"""`gitops doctor`: whether this machine has what gitops needs."""

from pathlib import Path
from typing import Annotated

import typer

from gitops.cli.options import FleetOption, JsonOption


def doctor(
    fleet: FleetOption = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="HOST", help="Look as if this machine were that host of the fleet."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Look at what gitops needs on this machine, and say for each what to do.

    Engine, programs, archives and their keys, backups, secrets, cron or systemd, disks, clock, rights, git,
    forge, registry, agent; in a fleet, as this fleet needs them. Nothing is changed. Exit status 1 when
    something must be mended.
    """
    from gitops.cli.document import emit
    from gitops.cli.table import show
    from gitops.doctor.checks import examine
    from gitops.doctor.machine import look_around
    from gitops.system.places import places

    machine = look_around(fleet or Path.cwd(), places(), named=fleet is not None, host=host)
    found = examine(machine)
    if json:
        emit(findings=[{"subject": subject, **vars(finding)} for subject, finding in found])
    else:
        show(
            ("subject", "state", "what"),
            [
                (
                    subject,
                    finding.state,
                    f"{finding.says}; {finding.advice}" if finding.advice else finding.says,
                )
                for subject, finding in found
            ],
        )
        print(f"\n{_summary([finding.state for _, finding in found])}")
    if any(finding.state == "problem" for _, finding in found):
        raise typer.Exit(1)


def _summary(states: list[str]) -> str:
    """Say how many of the findings need something."""
    counts = [(states.count(state), state) for state in ("problem", "warning")]
    words = [f"{count} {state}{'s' if count > 1 else ''}" for count, state in counts if count]
    return ", ".join(words) or "all is well"
