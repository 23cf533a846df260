"""`gitops check`: read every definition and say everything that is wrong."""

import typer

from gitops.cli.options import FleetOption, JsonOption, fleet_root
from gitops.system.errors import Problem, UserError


def check(fleet: FleetOption = None, as_json: JsonOption = False) -> None:
    """Say everything that is wrong with the fleet.

    Exit status 1 when there is something.
    """
    import json
    from dataclasses import asdict

    from gitops.fleet.checks import missing_keyrings
    from gitops.fleet.load import load

    problems: list[Problem] = []
    counted = ""
    try:
        whole = load(fleet_root(fleet))
        problems = missing_keyrings(whole)
        counts = {"image": len(whole.images), "app": len(whole.apps), "host": len(whole.hosts)}
        counted = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())
    except UserError as error:
        problems = list(error.problems)
    if as_json:
        print(json.dumps({"problems": [asdict(problem) for problem in problems]}, indent=2))
        raise typer.Exit(1 if problems else 0)
    if problems:
        raise UserError.of(problems)
    print(f"{counted}: no problems")
