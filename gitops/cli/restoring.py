"""`gitops backup restore`: bring instances back to what a backup holds."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitops.backup.restore import Wish
    from gitops.backup.vault import Vault
    from gitops.fleet.fleet import Fleet


def restore(  # noqa: PLR0913  # each is an option of the verb
    instance: Annotated[
        str | None, typer.Argument(metavar="[INSTANCE]", help="Whose backup is restored.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="The newest backup by then: RFC 3339, or YYYY-MM-DD[ HH:MM[:SS]]."
        ),
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="ID", help="Which backup; otherwise the newest.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="OTHER", help="Restore into another instance of the same app."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="DATASET", help="Restore this alone: SERVICE/DATABASE, volume/NAME."),
    ] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Restore every instance of this host that has a backup.")
    ] = False,
    without_safety: Annotated[
        bool, typer.Option("--without-safety", help="Keep nothing of what is there now.")
    ] = False,
) -> None:
    """Bring an instance back to what a backup holds; what it has now is kept as a backup of its own kind.

    Everything is fetched, loaded beside the running instance and checked first. Then its services stop for a
    moment while old and new change places. Until then, an interruption leaves everything as it was; after
    that, the new.
    """
    from dataclasses import replace

    from gitops.backup.restore import restore as bring_back
    from gitops.backup.vault import open_vault
    from gitops.cli.deployed import deployed
    from gitops.cli.progress import shown
    from gitops.engine.docker import Docker
    from gitops.system.clock import moment, stamp
    from gitops.system.complaint import complain
    from gitops.system.errors import UserError
    from gitops.system.places import places

    if (instance is None) is not everything:
        raise typer.BadParameter("name an instance, or say --all")
    if everything and (snapshot or to or only):
        raise typer.BadParameter("--all goes with neither --snapshot, --to nor --only")
    if at and snapshot:
        raise typer.BadParameter("--at and --snapshot each name a backup")
    by = moment(at) if at else None
    loaded, here = deployed(fleet, host)
    failed = False
    with shown() as progress, open_vault(loaded, here, places(), progress) as vault, Docker() as engine:
        for name in [instance] if instance else _backed_up(vault, loaded):
            try:
                wish = _wish(vault, loaded, name, to, snapshot, by)
                wish = replace(wish, only=tuple(only or ()), safety=not without_safety)
                bring_back(vault, engine, wish, places(), tell=_tell)
                _tell(f"{to or name}: restored to {stamp(wish.chosen.time)} (backup {wish})")
            except UserError as error:
                complain(error)
                failed = True
    raise typer.Exit(1 if failed else 0)


def _wish(
    vault: "Vault",
    fleet: "Fleet",
    name: str,
    to: str | None,
    snapshot: str | None,
    by: "datetime | None",
) -> "Wish":
    from gitops.backup.restore import Wish

    source = fleet.instance(vault.host, name)
    target = fleet.instance(vault.host, to) if to else source
    chosen = vault.choose(name, wanted=snapshot, at=by)
    return Wish(target, chosen, source=source if target is not source else None)


def _backed_up(vault: "Vault", fleet: "Fleet") -> "Iterator[str]":
    """Give the instances that have a complete backup, and are still there."""
    there = {one.instance for one in vault.sets() if one.complete}
    yield from sorted(there & fleet.instances(vault.host).keys())


def _tell(line: str) -> None:
    print(line, flush=True)
