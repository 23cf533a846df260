"""`gitops registry`: what the fleet's registry holds, and taking away what nobody needs any more."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitops.agent.needed import Needed
    from gitops.fleet.fleet import Fleet
    from gitops.registry.garbage import Garbage
    from gitops.registry.holdings import Holding, Holdings
    from gitops.registry.registry import Registry

_FOREIGN = "not of this fleet, or not readable"
_FEW = 10  # tags that are named each

app = typer.Typer(help="See and clear the registry that holds the fleet's images.", no_args_is_help=True)


@app.command("list")
def list_images(
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="See that each is what a signer says it is; exit status 1 when one is not."
        ),
    ] = False,
    fleet: FleetOption = None,
    json: JsonOption = False,
) -> None:
    """List the images that the registry holds with a statement, and what else there is."""
    from gitops.registry.holdings import holdings

    loaded, registry = _reach(fleet)
    with registry:
        held = holdings(registry, loaded.settings.name, loaded.images)
        verdicts = _verdicts(registry, loaded, held) if verify else {}
    good = all(verdict.startswith("good") for verdict in verdicts.values())
    if json:
        from gitops.cli.document import emit

        images = [{**vars(one.said), "verdict": verdicts.get(one.identity)} for one in held.images]
        unvouched = [":".join(pair) for pair in held.unvouched]
        emit(images=images, unvouched=unvouched, foreign=list(held.foreign))
    else:
        _show(held, verdicts)
    if not good:
        raise typer.Exit(1)


@app.command()
def gc(
    yes: Annotated[
        bool, typer.Option("--yes", help="Really remove them; otherwise they are only named.")
    ] = False,
    generations: Annotated[
        int,
        typer.Option(
            "--generations", min=1, metavar="N", help="Commits of each branch and host to go back to."
        ),
    ] = 10,
    spare: Annotated[
        str,
        typer.Option("--spare", metavar="TIME", help="Spare what was pushed in the last TIME, as 12h or 7d."),
    ] = "7d",
    unvouched: Annotated[
        bool,
        typer.Option("--unvouched", help="Also images without a statement, of pushes that were cut short."),
    ] = False,
    fleet: FleetOption = None,
    json: JsonOption = False,
) -> None:
    """Remove images that no branch, no tag and no host needs, nor a host's way back.

    What the registry holds for somebody else, or what cannot be read, is left alone. The registry frees the
    room on its disk by its own garbage collection.
    """
    from datetime import timedelta

    from gitops.agent.needed import needed
    from gitops.cli.progress import shown
    from gitops.fleet.values import parse_duration
    from gitops.registry.garbage import garbage, remove
    from gitops.registry.holdings import holdings
    from gitops.system.clock import now
    from gitops.system.errors import Problem, UserError
    from gitops.system.places import places

    try:
        before = now() - timedelta(seconds=float(str(parse_duration(spare))))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error)) from error
    loaded, registry = _reach(fleet)
    with registry:
        with shown() as progress:
            wanted = needed(loaded.root, generations, places(), lambda line: progress("git", line))
            progress("git", "")
        held = holdings(registry, loaded.settings.name, {*loaded.images, *wanted.names()})
        found = garbage(registry, held, wanted.images, before, unvouched=unvouched)
        if json:
            _emit(held, wanted, found)
        else:
            _explain(registry, held, wanted, found, remove_now=yes)
        if not yes:
            return
        if wanted.gaps:
            raise UserError.of([Problem(message=f"nothing was removed: {gap}") for gap in wanted.gaps])
        remove(registry, found, (lambda _line: None) if json else print)
        if found and not json:
            print("the registry frees their room by its own garbage collection")


def _reach(fleet: "Path | None") -> "tuple[Fleet, Registry]":
    """Read the fleet, and reach its registry."""
    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.registry.registry import connect
    from gitops.system.errors import UserError
    from gitops.system.places import places

    loaded = load(fleet_root(fleet))
    if loaded.settings.registry is None:
        raise UserError("names no registry", file="fleet.yaml", hint="docs/registry.md tells how to have one")
    return loaded, connect(loaded.settings.registry, places())


def _verdicts(registry: "Registry", fleet: "Fleet", held: "Holdings") -> dict[str, str]:
    """Judge each image as a host would, but for its packages."""
    from gitops.agent.supply import VARIABLE, signers_of
    from gitops.registry.statement import judge
    from gitops.system.errors import UserError
    from gitops.system.places import places

    signers = signers_of(places())
    if signers is None:
        raise UserError(
            "whose statements are good is not known here", hint=f"{VARIABLE}=FILE names the allowed signers"
        )
    return {one.identity: judge(registry, one.stored, fleet.settings.name, signers) for one in held.images}


def _show(held: "Holdings", verdicts: dict[str, str]) -> None:
    from gitops.cli.table import show

    head = ("image", "architecture", "identity", "pushed", "digest", *(["verdict"] if verdicts else []))
    rows = [(*_row(one), *([verdicts[one.identity]] if verdicts else [])) for one in held.images]
    if rows:
        show(head, rows)
    else:
        print("the registry has no images of this fleet")
    loose = dict.fromkeys((":".join(pair) for pair in held.unvouched), "no statement vouches for it")
    for line in _told({**loose, **dict.fromkeys(held.foreign, _FOREIGN)}):
        print(line)


def _row(one: "Holding") -> tuple[str, ...]:
    said = one.said
    return (said.image, said.architecture, said.identity, said.time, said.digest.removeprefix("sha256:")[:12])


def _explain(
    registry: "Registry", held: "Holdings", wanted: "Needed", found: "Garbage", *, remove_now: bool
) -> None:
    for line in (*wanted.notes, *wanted.gaps):
        print(line)
    for line in _told({**found.spared, **dict.fromkeys(held.foreign, _FOREIGN)}):
        print(f"stays: {line}")
    if not remove_now:
        for one in found.images:
            print(f"would remove {registry.address.repository(one.said.image)}:{one.identity}")
        for repository, tag in found.tags:
            print(f"would remove {repository}:{tag}")
    kept = sum(1 for one in held.images if one.identity in wanted.images)
    going = len(found.images) + len(found.tags)
    print(f"{kept:,} images are needed, {going:,} by nobody")
    if going and not remove_now:
        print("nothing was removed: gitops registry gc --yes does")


def _told(reasons: "Mapping[str, str]") -> "Iterator[str]":
    """Give each REPOSITORY:TAG with its reason; where many tags of a repository have one, their number."""
    alike: dict[tuple[str, str], list[str]] = {}
    for name, why in reasons.items():
        repository, _, tag = name.rpartition(":")
        alike.setdefault((repository, why), []).append(tag)
    for (repository, why), tags in alike.items():
        if len(tags) > _FEW:
            yield f"{len(tags):,} tags of {repository}: {why}"
        else:
            yield from (f"{repository}:{tag}: {why}" for tag in tags)


def _emit(held: "Holdings", wanted: "Needed", found: "Garbage") -> None:
    from gitops.cli.document import emit

    emit(
        needed=[
            {**vars(one.said), "reason": wanted.images[one.identity][1]}
            for one in held.images
            if one.identity in wanted.images
        ],
        garbage=[vars(one.said) for one in found.images],
        unvouched=[":".join(pair) for pair in found.tags],
        spared=dict(found.spared),
        foreign=list(held.foreign),
        notes=wanted.notes,
        gaps=wanted.gaps,
    )
