"""`gitops test`: try images and apps as their `test` says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gitops.cli.options import FleetOption, JsonOption

if TYPE_CHECKING:
    from gitops.fleet.settings import Architecture
    from gitops.review.state import State
    from gitops.testing.outcome import Outcome

_SHOWN = 100  # characters of what is tried

SinceOption = Annotated[
    str | None,
    typer.Option("--changed-since", metavar="REV", help="Only what is not as it was in this commit."),
]
LayerOption = Annotated[
    int | None,
    typer.Option(
        "--layer", metavar="N", min=1, help="Only a layer: 1 for bases, 2 for what is on them… No apps."
    ),
]


def try_out(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGE|APP]...", help="Images and apps; otherwise all.")
    ] = None,
    layer: LayerOption = None,
    changed_since: SinceOption = None,
    build: Annotated[
        bool, typer.Option("--build", help="Pull or build images that are not there; otherwise say so.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Images to test at the same time.")] = 2,
    json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Try images and apps as their `test` says; the images must have been built.

    An image's commands run in containers of it, without network. An app's instance is there for the test
    alone: its networks lead nowhere, its volumes are new, its secrets are made up. All of it goes again. Exit
    status 1 when a test fails.
    """
    from gitops.cli.options import fleet_root
    from gitops.cli.progress import shown
    from gitops.engine.docker import Docker
    from gitops.fleet.fleet import layers
    from gitops.images.machine import native
    from gitops.review.state import read_state
    from gitops.system.places import places
    from gitops.testing.run import choose, needed, run_tests

    root = fleet_root(fleet)
    state = read_state(root)
    found = layers(state.fleet)
    within = None if layer is None else frozenset(found[layer - 1] if layer <= len(found) else ())
    chosen = choose(state.fleet, names, within)
    if changed_since is not None:
        chosen = chosen.only(*_moved(root, changed_since, state))
    for name in names or ():
        if not chosen.has(name):
            _tell(f"{name}: nothing to test", json=json)
    if build:
        from gitops.cli.build import make

        architecture = cast("Architecture", native())
        make(state, architecture, needed(state.fleet, chosen, architecture), jobs=jobs, pull=True)
    with Docker() as engine, shown() as progress:
        outcomes = run_tests(
            state.fleet,
            chosen,
            state.references,
            engine,
            places(),
            tell=lambda outcome: None if json else _print(outcome),
            progress=progress,
            jobs=jobs,
        )
    failed = [one for one in outcomes if one.wrong]
    if json:
        from dataclasses import asdict

        from gitops.cli.document import emit

        emit(tests=[{**asdict(one), "passed": not one.wrong} for one in outcomes])
    else:
        from gitops.updates.wording import count

        print(f"{count(len(outcomes), 'test')}, {len(failed)} failed" if outcomes else "nothing to test")
    raise typer.Exit(1 if failed else 0)


def _moved(root: Path, revision: str, state: "State") -> "tuple[frozenset[str], frozenset[str]]":
    """Give images and apps that are not as they were; all where a commit is too broken to tell."""
    from gitops.git.repository import Repository
    from gitops.review.moved import moved_apps, moved_images
    from gitops.review.state import state_at
    from gitops.system.errors import UserError

    git = Repository(root)
    git.commit(revision)
    try:
        with state_at(git, revision) as before:
            return moved_images(before, state), moved_apps(before, state)
    except UserError:
        return frozenset(state.fleet.images), frozenset(state.fleet.apps)


def _print(outcome: "Outcome") -> None:
    from gitops.cli.saying import say

    words = " ".join(outcome.test.split())
    short = words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"
    if not outcome.wrong:
        say(f"ok      {outcome.name}: {short} ({outcome.seconds:.1f} s)")
        return
    lines = [f"failed  {outcome.name}: {short}: {outcome.wrong}"]
    say("\n".join([*lines, *(f"        {line}" for line in outcome.output.splitlines())]))


def _tell(line: str, *, json: bool) -> None:
    import sys

    print(line, file=sys.stderr if json else sys.stdout)
