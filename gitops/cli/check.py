"""`gitops check`: read every definition and say everything that is wrong."""

import typer

from gitops.cli.options import FleetOption, JsonOption, fleet_root
from gitops.system.complaint import complain
from gitops.system.errors import Problem, UserError


def check(fleet: FleetOption = None, as_json: JsonOption = False) -> None:
    """Say everything that is wrong with the fleet.

    It also warns of data that nothing keeps a copy of, and of jobs that may overlap themselves.
    Exit status 1 when there is something wrong; a warning alone does not count.
    """
    from gitops.cli.document import emit
    from gitops.fleet.checks import missing_keyrings
    from gitops.fleet.load import load
    from gitops.fleet.warnings import warnings

    problems: list[Problem] = []
    warned: list[Problem] = []
    counted = ""
    try:
        whole = load(fleet_root(fleet))
        problems = missing_keyrings(whole)
        warned = warnings(whole)
        counts = {"image": len(whole.images), "app": len(whole.apps), "host": len(whole.hosts)}
        counted = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())
    except UserError as error:
        problems = list(error.problems)
    if as_json:
        found = {"problems": problems, "warnings": warned}
        told = {name: [problem._asdict() for problem in each] for name, each in found.items()}
        emit(**told)
        raise typer.Exit(1 if problems else 0)
    for warning in warned:
        complain(warning._replace(message=f"warning: {warning.message}"))
    if problems:
        raise UserError.of(problems)
    print(f"{counted}: no problems")
