"""`gitops status`: say what runs on this host."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption
from gitops.cli.sizes import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitops.agent.status import Row
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

    Outside of a fleet it is the one that this host runs.
    """
    import sys
    import time

    if html and (watch or json):
        raise typer.BadParameter("--html goes with neither --watch nor --json")
    looks = _looks(fleet, host)
    if html:
        found = next(looks)
        _write(found, html)
        if exit_code and not found.well:
            raise typer.Exit(1)
        return
    if watch:
        while True:
            found = next(looks)
            # One write, over what was there, so that nothing flickers.
            top = "\x1b[H\x1b[J" if sys.stdout.isatty() else ""
            print(f"{top}{_json(found) if json else _table(found)}", flush=True)
            time.sleep(_PAUSE)
    next(looks)
    time.sleep(_GLANCE)  # how busy a processor is takes two looks
    found = next(looks)
    print(_json(found) if json else _table(found))
    if exit_code and not found.well:
        raise typer.Exit(1)


def _looks(fleet: Path | None, host: str | None) -> "Iterator[View]":
    """Look at the host as often as is asked for."""
    from gitops.agent.generation import current
    from gitops.cli.options import fleet_root
    from gitops.engine.docker import Docker
    from gitops.engine.usage import Usage
    from gitops.system.errors import UserError
    from gitops.system.places import places
    from gitops.view.look import look

    place, used = places(), dict[str, Usage]()

    def generation() -> tuple[Path, str | None]:
        kept = current(place)
        return kept.path, host or kept.host

    where: Callable[[], tuple[Path, str | None]]
    try:
        root = fleet_root(fleet)
    except UserError:
        if fleet or not (place.state / "current").exists():
            raise
        where = generation
    else:

        def where() -> tuple[Path, str | None]:
            return root, host

    with Docker() as engine:
        while True:
            found = look(*where(), engine, place, used)
            used = dict(found.used)
            yield found


def _write(found: "View", directory: Path) -> None:
    from gitops.system.places import places
    from gitops.view.pages import write_pages

    changed = write_pages(found, directory, places())
    index = (directory / "index.html").resolve()
    print(f"{len(changed)} page{'s' if len(changed) != 1 else ''} changed: {index.as_uri()}")


def _json(found: "View") -> str:
    from json import dumps

    from gitops.view.document import document

    return dumps(document(found), indent=2)


def _table(found: "View") -> str:
    from gitops.cli.table import columns

    lines = [*found.notes, *(note for one in found.backups for note in one.notes)]
    lines += [note for one in found.jobs for note in one.notes]
    if not found.rows:
        return "\n".join([*lines, f"{found.host}: nothing runs here"])
    cells = [("instance", "service", "state", "health", "image", "since", "cpu", "memory", "processes")]
    for row in found.rows:
        outdated = "" if row.current or row.state == "missing" else " (outdated)"
        cells.append(
            (
                row.instance,
                row.service,
                row.state,
                row.health or "-",
                f"{row.image}{outdated}",
                row.status,
                *_use(row),
            )
        )
    notes = (f"{row.instance}/{row.service}: {row.note}" for row in found.rows if row.note)
    return "\n".join([*lines, *columns(cells), *notes, *_backups(found)])


def _backups(found: "View") -> list[str]:
    """Say of each instance how old its newest backup is, and when one was last proved."""
    from gitops.backup.standing import age
    from gitops.cli.table import columns
    from gitops.system.clock import now

    if not found.backups:
        return []
    time = now()
    cells: list[tuple[str, ...]] = [("instance", "backup", "proved")]
    for one in found.backups:
        times = (age(at, time) if at else "never" for at in (one.newest, one.proved))
        cells.append((one.instance, *times))
    return ["", *columns(cells)]


def _use(row: "Row") -> tuple[str, str, str]:
    """Say what a container uses, and after a slash what it may."""
    use = row.usage
    if use is None:
        return "", "", ""
    cpu = "" if row.cpu is None else f"{row.cpu:.0%}"
    return (
        cpu + (f"/{row.cpus:.0%}" if row.cpus and cpu else ""),
        readable(use.memory) + (f"/{readable(use.memory_limit)}" if use.memory_limit else ""),
        f"{use.processes}" + (f"/{use.processes_limit}" if use.processes_limit else ""),
    )
