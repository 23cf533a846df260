"""`gitops notify`: see to it that people hear what they should."""

from typing import Annotated

import typer


def notify(
    test: Annotated[bool, typer.Option("--test", help="Also tell everyone that this is a test.")] = False,
) -> None:
    """Look how this host stands, tell whom it concerns, and write its metrics and pages.

    The agent does it every few minutes, and so does a job that begins to fail; cron or a timer does it, too,
    in case the agent is silent. Who hears of what is written in fleet.yaml, `notifications`. Exit status 1
    when somebody could not be told; that is tried again for days.
    """
    import sys

    from gitops.report.notices import tell
    from gitops.system.clock import now
    from gitops.system.places import places
    from gitops.view.watch import watch

    place = places()
    if test:
        tell(place, "this is a test", "If you can read this, notifications arrive.", good=True)
    problems = watch(place, now())
    for line in problems:
        print(line, file=sys.stderr)
    if problems:
        raise typer.Exit(1)
