"""`gitops status`: say what runs on this host."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitops.view.view import View

_PAUSE = 2.0
_GLANCE = 0.5


def status(
    fleet: FleetOption = None,
    host: HostOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when somebody needs to look at something.")
    ] = False,
    json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="DIR", help="Write pages into a directory instead.")
    ] = None,
) -> None:
    """Say what runs on this host, beside what should; what needs somebody comes first.

    Outside of a fleet it is the one that this host runs. What containers use is asked of each, so that only
    --watch and --json tell it.
    """
    import sys
    import time

    if html and (watch or json):
        raise typer.BadParameter("--html goes with neither --watch nor --json")
    looks = _looks(fleet, host, use=watch or json)
    if html:
        found = next(looks)
        _write(found, html)
        if exit_code and not found.well:
            raise typer.Exit(1)
        return
    if watch and not json and sys.stdout.isatty():
        _watch(looks)
        return
    while watch:
        _show(next(looks), json=json)
        time.sleep(_PAUSE)
    if json:
        next(looks)
        time.sleep(_GLANCE)  # how busy a processor is takes two looks
    found = next(looks)
    _show(found, json=json)
    if exit_code and not found.well:
        raise typer.Exit(1)


def _looks(fleet: Path | None, host: str | None, *, use: bool) -> "Iterator[View]":
    """Look at the host as often as is asked for; with `use`, at what its containers use too."""
    from gitops.cli.glancing import where
    from gitops.engine.docker import Docker
    from gitops.engine.usage import Usage
    from gitops.system.places import places
    from gitops.view.look import look

    place, used = places(), dict[str, Usage]()
    at = where(fleet, host, place)
    with Docker() as engine:
        while True:
            found = look(*at(), engine, place, used, use=use)
            used = dict(found.used)
            yield found


def _write(found: "View", directory: Path) -> None:
    from gitops.system.places import places
    from gitops.view.pages import write_pages

    changed = write_pages(found, directory, places())
    index = (directory / "index.html").resolve()
    print(f"{len(changed)} page{'s' if len(changed) != 1 else ''} changed: {index.as_uri()}")


def _show(found: "View", *, json: bool) -> None:
    import sys

    if json:
        from json import dumps

        from gitops.view.document import document

        print(dumps(document(found), indent=2))
    else:
        from gitops.cli.overview import overview
        from gitops.cli.table import show_all

        show_all(overview(found))
    sys.stdout.flush()


def _watch(looks: "Iterator[View]") -> None:
    """Show each look over the one before, on a screen of its own, until Ctrl-C."""
    import time
    from contextlib import suppress

    from rich.live import Live

    from gitops.cli.overview import overview
    from gitops.cli.table import console, laid_out
    from gitops.system.errors import InterruptedByUserError

    screen = console()
    with (
        suppress(InterruptedByUserError),
        Live(console=screen, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
    ):
        for found in looks:
            live.update(laid_out(overview(found), screen.width), refresh=True)
            time.sleep(_PAUSE)
