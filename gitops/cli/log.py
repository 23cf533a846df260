"""`gitops log`: what an instance's containers have written."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitops.engine.logs import Logs


def log(
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance.")],
    service: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="One of its services; otherwise all.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Nothing older: 10m, 2h30m, or 2030-01-31T12:00."),
    ] = None,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=0, metavar="N", help="The last N lines of each service.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Tell when, in UTC.")] = False,
    fleet: FleetOption = None,
    host: HostOption = None,
) -> None:
    """Print what an instance's containers wrote, both of their outputs, in order.

    A terminal only shows it, whatever it says; a file or pipe gets every byte.
    """
    import signal
    from heapq import merge

    from gitops.cli.deployed import whose
    from gitops.deploy.containers import containers_of
    from gitops.engine.docker import Docker
    from gitops.engine.logs import Logs
    from gitops.system.errors import InterruptedByUserError

    name, here = whose(fleet, host)
    begin = _moment(since) if since else None
    with Docker() as engine:
        found = containers_of(engine, name, here, instance, service)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # who reads may have enough, as with any such program
    width = max(map(len, found))
    with Logs() as logs:
        sources = {
            each: _lines(
                logs, one.id, f"{each.ljust(width)} | " if len(found) > 1 else "", begin, tail, follow
            )
            for each, one in found.items()
        }
        try:
            together = _as_they_come(list(sources.values())) if follow else merge(*sources.values())
            for time, prefix, content in together:
                _put(prefix + (f"{time} " if timestamps else ""), content)
        except InterruptedByUserError:
            if not follow:
                raise
            raise typer.Exit(130) from None


def _lines(
    logs: "Logs", container: str, prefix: str, since: "datetime | None", tail: int | None, follow: bool
) -> "Iterator[tuple[str, str, bytes]]":
    for time, content in logs.log(container, since=since, tail=tail, follow=follow):
        yield time, prefix, content


def _as_they_come(sources: "list[Iterator[tuple[str, str, bytes]]]") -> "Iterator[tuple[str, str, bytes]]":
    """Read sources at once, each in a thread; raises what one of them does."""
    from queue import SimpleQueue
    from threading import Thread

    queue: SimpleQueue[tuple[str, str, bytes] | BaseException | None] = SimpleQueue()

    def read(source: "Iterator[tuple[str, str, bytes]]") -> None:
        try:
            for each in source:
                queue.put(each)
            queue.put(None)
        except BaseException as error:  # noqa: BLE001  # raised again where the lines are printed
            queue.put(error)

    for source in sources:
        Thread(target=read, args=(source,), daemon=True).start()
    open_ = len(sources)
    while open_:
        found = queue.get()
        if isinstance(found, BaseException):
            raise found
        if found is None:
            open_ -= 1
        else:
            yield found


def _put(prefix: str, content: bytes) -> None:
    import sys

    if sys.stdout.isatty():
        sys.stdout.write(prefix + content.decode(errors="replace"))
    else:
        sys.stdout.buffer.write(prefix.encode() + content)
    sys.stdout.flush()


def _moment(text: str) -> "datetime":
    """Read a point in time: a duration before now, or ISO 8601, local where it names no zone."""
    from datetime import datetime, timedelta

    from gitops.fleet.values import parse_duration
    from gitops.system.clock import now

    try:
        seconds = parse_duration(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).astimezone()
        except ValueError as error:
            raise typer.BadParameter(
                f"{text!r} is no time; write for example 10m or 2030-01-31T12:00"
            ) from error
    return now() - timedelta(seconds=float(str(seconds)))
