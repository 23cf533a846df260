"""`gitops update`: what Debian has that the fleet has not, and branches or pull requests that propose it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitops.cli.options import FleetOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitops.git.repository import Repository
    from gitops.system.places import Places
    from gitops.updates.find import Updates
    from gitops.updates.outcome import Outcome

_SPARE = ("suite", "urgency", "hosts", "images", "instances", "CVEs", "source")
_UP_TO_DATE = "every package is up to date"
_NOTHING_TO_DO = "nothing to do"
_NAMED = 5  # files that are not committed; more would drown what was found


def update(
    fleet: FleetOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what there is; the same as no option.")
    ] = False,
    commit: Annotated[
        bool, typer.Option("--commit", help="Propose it on branches of this repository, a commit each.")
    ] = False,
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Push the branches, and open or refresh pull requests.")
    ] = False,
    merge: Annotated[
        str | None, typer.Option("--merge", metavar="BRANCH", help="Check a proposed branch, and take it.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="With --pull-request: do not wait for the schedule.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with status 1 when there is something newer.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find newer packages in the archives, and propose them.

    Looks at what is committed; with --pull-request, at the remote's branch. New locks, and what is rendered
    from them, go into one commit a group; fleet.yaml says under `updates` how they are grouped and where they
    go. The checkout is not touched. Running it again finishes what was interrupted, and otherwise changes
    nothing.
    """
    from gitops.cli.options import fleet_root
    from gitops.git.repository import Repository
    from gitops.system.places import places

    ways = {"--dry-run": dry_run, "--commit": commit, "--pull-request": pull_request, "--merge": merge}
    chosen = [name for name, value in ways.items() if value not in {False, None}]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(chosen)} exclude each other")
    if now and not pull_request:
        raise typer.BadParameter("--now goes with --pull-request alone")
    if merge is not None and (exit_code or as_json):
        raise typer.BadParameter("--merge goes with neither --exit-code nor --json")
    repository, here = Repository(fleet_root(fleet)), places()
    if merge is not None:
        _merge(repository, here, merge)
        return
    if not pull_request and _is_still_nothing(repository, here, as_json=as_json, commit=commit):
        return
    if pull_request:
        updates, outcomes = _publish(repository, here, now=now)
    else:
        updates, outcomes = _look(repository, here, commit=commit)
    from gitops.updates.report import document

    told = document(updates)
    _keep(told, here)
    if as_json:
        _print_json(told, outcomes)
    else:
        tell(updates, outcomes, proposed=commit or pull_request)
    if any(outcome.state == "failed" for outcome in outcomes) or (exit_code and updates.updates):
        raise typer.Exit(1)


def _is_still_nothing(repository: "Repository", places: "Places", *, as_json: bool, commit: bool) -> bool:
    """Say what is usual, and nearly at once: nothing is new since the last time that nothing was."""
    from gitops.cli.progress import shown
    from gitops.updates.unchanged import still_nothing

    if unsaved := repository.dirty():
        names = ", ".join(map(repr, unsaved[:_NAMED])) + (", …" if unsaved[_NAMED:] else "")
        typer.echo(f"not looked at, because not committed: {names}", err=True)
    head = repository.head()
    with shown() as progress:
        kept = still_nothing(repository.root, head, places, progress)
    if kept is None:
        return False
    _keep({"base": head, "updates": []}, places)
    if as_json:
        _print_json({"base": head, "updates": [], "findings": []}, ())
    else:
        print(_NOTHING_TO_DO if commit else _UP_TO_DATE)
    return True


def _keep(told: "dict[str, Any]", places: "Places") -> None:
    """Let `gitops status` know what was found; a disk that is full is in nobody's way."""
    from contextlib import suppress

    from gitops.system.clock import now
    from gitops.view.waiting import keep

    with suppress(OSError):
        keep(told, now(), places)


def _look(repository: "Repository", places: "Places", *, commit: bool) -> "tuple[Updates, Sequence[Outcome]]":
    """Compare HEAD with the archives, and commit to local branches where that is wanted."""
    from gitops.cli.progress import shown
    from gitops.updates.find import find

    with shown() as progress:
        updates = find(repository, places, progress, revision=repository.head())
    if not commit:
        return updates, ()
    from gitops.updates.commit import commit as propose

    return updates, propose(repository, updates)


def _publish(repository: "Repository", places: "Places", *, now: bool) -> "tuple[Updates, Sequence[Outcome]]":
    """Compare the remote's branch with the archives, and bring remote and forge up to that."""
    from gitops.cli.progress import shown
    from gitops.updates.propose import look, propose
    from gitops.updates.target import base_of, forge_of, remote_of, settings_of

    settings = settings_of(repository)
    remote = remote_of(repository, settings, places)
    forge_of(remote, settings)  # a token that is missing is told first, not after minutes
    base = base_of(repository, remote, settings)
    commit = remote.fetch(base, settings.branch)[base]
    with shown() as progress:
        updates = look(repository, commit, places, progress)
    return updates, propose(updates, repository, remote, base, now=now)


def _merge(repository: "Repository", places: "Places", branch: str) -> None:
    from gitops.updates.merge import merge
    from gitops.updates.target import base_of, has_remote, remote_of, settings_of

    settings = settings_of(repository)
    remote = remote_of(repository, settings, places) if has_remote(repository, settings) else None
    done = merge(repository, remote, base_of(repository, remote, settings), branch)
    where = f" on {done.url}" if done.url else ""
    print(f"{done.base}{where} {'is now at' if done.moved else 'was already at'} {done.commit[:12]}")


def _print_json(document: "dict[str, Any]", outcomes: "Sequence[Outcome]") -> None:
    from dataclasses import asdict

    from gitops.cli.document import emit

    emit(**document, outcomes=[asdict(outcome) for outcome in outcomes])


def tell(updates: "Updates", outcomes: "Sequence[Outcome]", *, proposed: bool) -> None:
    """Print what was found, or what was done about it; what is in the way goes to standard error."""
    from gitops.updates.escaping import plain

    for finding in updates.findings:
        typer.echo(f"stays behind: {plain(str(finding))}", err=True)
    for outcome in outcomes:
        typer.echo(plain(str(outcome)), err=outcome.state in {"left alone", "failed"})
    if proposed and (outcomes or not updates.updates):
        if all(outcome.state in {"unchanged", "waits", "declined"} for outcome in outcomes):
            print(_NOTHING_TO_DO)
    elif not updates.updates:
        print("nothing to propose" if updates.findings else _UP_TO_DATE)
    else:
        _show(updates)


def _show(updates: "Updates") -> None:
    """Print a table for each update, below its title."""
    from gitops.cli.table import show
    from gitops.updates.report import COLUMNS, rows
    from gitops.updates.title import title

    for each in updates.updates:
        above = f"{each.branch}: {title(each.effect, each.news)}"
        show(COLUMNS, rows(each), title=above, spare=_SPARE)
        print()
    print("propose it with: gitops update --commit, or --pull-request")
