"""`gitops update`: what Debian has that the fleet has not, and a branch that proposes it."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, JsonOption

if TYPE_CHECKING:
    from gitops.git.proposal import Proposal
    from gitops.updates.find import Updates

_NAMED = 5  # files that are not committed; more would drown what was found


def update(
    fleet: FleetOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what there is; the same as no option.")
    ] = False,
    commit: Annotated[
        bool, typer.Option("--commit", help="Propose it: one commit on the branch of updates.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with status 1 when there is something newer.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find newer packages in the archives, and propose them on a branch.

    Looks at what is committed. With --commit, new locks and what is rendered from them go into one commit on
    top of HEAD, on the branch that fleet.yaml names (updates: branch), without touching the checkout.
    """
    import json

    from gitops.cli.options import fleet_root
    from gitops.git.repository import Repository
    from gitops.system.places import places
    from gitops.updates.find import find

    if dry_run and commit:
        raise typer.BadParameter("--dry-run and --commit exclude each other")
    repository = Repository(fleet_root(fleet))
    if unsaved := repository.dirty():
        names = ", ".join(map(repr, unsaved[:_NAMED])) + (", …" if unsaved[_NAMED:] else "")
        typer.echo(f"not looked at, because not committed: {names}", err=True)
    updates = find(repository, places(), lambda line: typer.echo(line, err=True))
    proposal = None
    if commit and updates.files:
        from gitops.git.proposal import BOT, propose
        from gitops.updates.message import message

        text = message(updates.effect, updates.findings, updates.branch)
        proposal = propose(repository, updates.branch, updates.base, updates.files, text, BOT)
    if as_json:
        print(json.dumps(_document(updates, proposal), indent=2, ensure_ascii=False))
    else:
        _tell(updates, proposal)
    if exit_code and updates.files:
        raise typer.Exit(1)


def _document(updates: "Updates", proposal: "Proposal | None") -> dict[str, object]:
    from dataclasses import asdict

    effect = asdict(updates.effect)
    return {
        "base": updates.base,
        "packages": effect["packages"],
        "images": effect["rebuilt"],
        "instances": effect["restarted"],
        "unaffected": {"images": effect["kept_images"], "instances": effect["kept"]},
        "findings": [asdict(finding) for finding in updates.findings],
        "files": sorted(updates.files),
        "proposal": asdict(proposal) if proposal else None,
    }


def _tell(updates: "Updates", proposal: "Proposal | None") -> None:
    from gitops.updates.message import count

    for finding in updates.findings:
        typer.echo(f"held back: {finding}", err=True)
    if not updates.files:
        print("nothing to propose" if updates.findings else "every package is up to date")
        return
    _table(updates)
    restarts = {(place.host, place.instance) for place in updates.effect.restarted}
    print(
        f"{count(len(updates.effect.rebuilt), 'image')} to build again,"
        f" {count(len(restarts), 'instance')} to restart"
    )
    if proposal is None:
        print("propose it with: gitops update --commit")
        return
    already = " already" if proposal.state == "unchanged" else ""
    print(
        f"branch {proposal.branch} proposes this{already} ({proposal.commit[:12]});"
        f" take it with: git merge {proposal.branch}"
    )


def _table(updates: "Updates") -> None:
    """Print the packages, those of one source together; the source stands where it begins."""
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("source", "package", "old", "new", "suite", "images", "instances"):
        table.add_column(column, overflow="fold")
    source = ""
    for package in updates.effect.packages:
        cells = (
            *("" if package.source == source else package.source, package.name),
            *(package.old or "new", package.new or "gone", package.suite),
            *(" ".join(package.images), " ".join(package.instances)),
        )
        table.add_row(*map(Text, cells))
        source = package.source
    # A file or a pipe has no width: there, a line is a row.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)
