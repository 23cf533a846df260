"""`gitops import`: an app from a Compose file."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gitops.cli.options import FleetOption


def import_compose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The Compose file.")],
    app: Annotated[
        str | None, typer.Option("--app", metavar="NAME", help="The app; otherwise named as Compose would.")
    ] = None,
    fleet: FleetOption = None,
) -> None:
    """Turn a Compose file into an app, and images that are one Debian package away into definitions.

    What was not carried over as it stood is listed, by line. Nothing that exists is overwritten; nothing is
    deployed: instances are yours to write.
    """
    from gitops.cli.options import fleet_root
    from gitops.compose.place import import_file

    done = import_file(file, app, fleet_root(fleet))
    for path in done.written:
        print(path)
    for path in done.kept:
        print(f"{path} is there already and stays as it is")
    for note in done.notes:
        print(
            f"{file}:{note.line}: {note.what}: {note.why}"
            if note.line
            else f"{file}: {note.what}: {note.why}"
        )
    for problem in done.problems:
        print(problem)
    print(f"next: {shlex.quote(done.written[0])} and the images are yours to look through; then gitops check")
    print(f"next: an instance, in hosts/NAME.yaml: {done.instance}")
    print("next: gitops lock && gitops render")
