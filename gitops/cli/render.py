"""`gitops render`: write what follows from the definitions, or say what is stale."""

from typing import Annotated

import typer

from gitops.cli.options import FleetOption


def render(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; say what is stale, with status 1 if anything is.")
    ] = False,
    fleet: FleetOption = None,
) -> None:
    """Write Dockerfiles, what hosts' schedulers are given, and pipelines.

    They go below rendered/, pipelines where their forge looks. Files of an earlier run that belong to nothing
    any more are removed; files that render did not write are left alone.
    """
    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.images.locks import read_locks
    from gitops.render.render import render as render_files
    from gitops.render.render import stale, write
    from gitops.system.errors import Problem, UserError

    loaded = load(fleet_root(fleet))
    files = render_files(loaded, read_locks(loaded))
    if not check:
        for path in write(loaded.root, files):
            print(f"{path}: {'written' if path in files else 'removed'}")
    elif found := stale(loaded.root, files):
        *first, last = (Problem(file=path, message=reason) for path, reason in found)
        raise UserError.of([*first, Problem(last.file, 0, 0, last.message, "run gitops render, and commit")])
