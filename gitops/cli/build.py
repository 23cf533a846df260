"""`gitops build`: build the images that do not exist yet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption

if TYPE_CHECKING:
    from collections.abc import Collection

    from gitops.images.build import Built
    from gitops.review.state import State


def build(  # noqa: PLR0913, PLR0917  # options are
    images: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGE]...", help="Images; otherwise all.")
    ] = None,
    changed_since: Annotated[
        str | None,
        typer.Option("--changed-since", metavar="REV", help="Only what is not as it was in this commit."),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option("--layer", min=1, metavar="N", help="Only a layer: 1 for bases, 2 for what is on them…"),
    ] = None,
    unless_pushed: Annotated[
        bool, typer.Option("--unless-pushed", help="Leave out what the fleet's registry has already.")
    ] = False,
    image_cache: Annotated[
        Path | None,
        typer.Option("--image-cache", metavar="DIR", help="Keep built images here, and take them from here."),
    ] = None,
    architecture: Annotated[
        str | None, typer.Option("--arch", metavar="ARCH", help="Architecture; otherwise this machine's.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Images to build at the same time.")] = 2,
    again: Annotated[
        bool, typer.Option("--again", help="Build what exists, too, and take nothing from BuildKit's cache.")
    ] = False,
    fleet: FleetOption = None,
) -> None:
    """Build the images that do not exist yet, as their locks say.

    Packages come from the archives' mirrors, once; builds themselves have no network. An image's tag is its
    identity. What an image stands on is pulled where the fleet's registry has it, and somebody whom this
    machine trusts vouches for it. The directory of --image-cache carries images from machine to machine; what
    the fleet does not have any more, or the registry has, leaves it.
    """
    from gitops.cli.options import fleet_root
    from gitops.cli.saying import say
    from gitops.git.repository import Repository
    from gitops.images.asked import asked
    from gitops.images.machine import native
    from gitops.review.state import read_state
    from gitops.review.unmoved import surely_same_images

    root = fleet_root(fleet)
    if changed_since and not (images or layer) and surely_same_images(Repository(root), changed_since):
        say("nothing to build")
        return
    state, arch = read_state(root), architecture or native()
    pushed = _pushed(state, arch) if unless_pushed else frozenset[str]()
    among = None if changed_since is None else _rebuilt(root, changed_since, state)
    wanted = asked(state.fleet, arch, images or None, layer=layer, among=among, without=pushed)
    done = make(state, arch, wanted, jobs=jobs, again=again, cache=image_cache, pushed=pushed)
    for one in done:
        how = "exists" if one.seconds is None else f"built in {one.seconds:.1f} s"
        how = "pulled" if one.pulled else how
        say(f"{one.image} {one.architecture}: {how}, {one.reference}")
    if not wanted:
        say("nothing to build")


def make(
    state: "State",
    architecture: str,
    images: "Collection[str]",
    *,
    jobs: int,
    again: bool = False,
    cache: Path | None = None,
    pushed: "Collection[str]" = (),
    pull: bool = False,
) -> "list[Built]":
    """Have the engine have images: those of the cache are loaded, others built; then the cache has them all.

    Args:
        state: the fleet.
        architecture: in Debian's words.
        images: which.
        jobs: how many to build at the same time.
        again: build what exists, too.
        cache: a directory of built images; None for none.
        pushed: images that the cache need not keep.
        pull: take from the registry these, too, not only what they stand on.
    """
    import sys

    from gitops.agent.supply import supply
    from gitops.cli.progress import shown
    from gitops.engine.docker import Docker
    from gitops.images.build import build as build_images
    from gitops.images.kept import Kept
    from gitops.render.dockerfile import dockerfile
    from gitops.system.places import places

    if not images:
        return []
    engine, names, place = Docker(), state.references, places()
    kept = Kept(cache, engine) if cache else None
    if kept and not again:
        kept.supply(state.fleet, images, names, architecture)
    try:
        with (
            shown() as progress,
            supply(
                state.fleet,
                state.locks,
                names,
                engine,
                place,
                parents_only=not pull,
                tell=lambda line: print(line, file=sys.stderr),
                refused=lambda _image, _why: None,
                progress=progress,
            ) as supplied,
        ):
            return build_images(
                state.fleet,
                state.locks,
                images,
                architecture,
                dockerfile=lambda image: dockerfile(state.fleet, image, architecture, names),
                references=names,
                engine=engine,
                places=place,
                progress=progress,
                jobs=jobs,
                again=again,
                supply=supplied,
            )
    finally:
        if kept:
            kept.keep([names[image, architecture] for image in state.fleet.parents_first(images)])
            kept.tidy(name for (image, _), name in names.items() if image not in pushed)


def _pushed(state: "State", architecture: str) -> frozenset[str]:
    """Give the images that the registry has; none where it cannot be asked, since building is no harm."""
    import sys

    from gitops.registry.present import present
    from gitops.registry.registry import connect
    from gitops.system.errors import UserError
    from gitops.system.places import places

    if state.fleet.settings.registry is None:
        return frozenset()
    names = {image: name for (image, arch), name in state.references.items() if arch == architecture}
    try:
        with connect(state.fleet.settings.registry, places()) as registry:
            there = present(registry, names.values())
    except UserError as error:
        print(f"what the registry has is not known: {error}", file=sys.stderr)
        return frozenset()
    return frozenset(image for image, name in names.items() if name in there)


def _rebuilt(root: Path, revision: str, state: "State") -> frozenset[str]:
    """Give the images that are not what they were; all where a commit is too broken to tell."""
    import sys

    from gitops.git.repository import Repository
    from gitops.review.moved import rebuilt_images
    from gitops.review.state import state_at
    from gitops.system.errors import UserError

    git = Repository(root)
    git.commit(revision)
    try:
        with state_at(git, revision) as before:
            return rebuilt_images(before, state)
    except UserError as error:
        print(f"{revision} is not in order, so every image counts as changed: {error}", file=sys.stderr)
        return frozenset(state.fleet.images)
