"""Options that several verbs share, and where a verb finds its fleet."""

from pathlib import Path
from typing import Annotated

import typer

FleetOption = Annotated[
    Path | None,
    typer.Option("--fleet", metavar="DIR", help="The fleet; otherwise the one around this directory."),
]
HostOption = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="HOST", help="The host; otherwise the fleet's only one, or this machine's name."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def fleet_root(option: Path | None) -> Path:
    """Find the fleet: the directory that --fleet names, or the one around this directory."""
    from gitops.fleet.root import find_root

    return find_root(option or Path.cwd())
