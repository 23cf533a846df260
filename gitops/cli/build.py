"""`gitops build`: build the images that do not exist yet."""

from typing import Annotated

import typer

from gitops.cli.options import FleetOption


def build(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGE]...", help="Images; otherwise all.")
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
    machine trusts vouches for it.
    """
    import sys

    from gitops.agent.supply import supply
    from gitops.cli.options import fleet_root
    from gitops.cli.progress import shown
    from gitops.engine.docker import Docker
    from gitops.fleet.load import load
    from gitops.images.build import build as build_images
    from gitops.images.identity import identities, references
    from gitops.images.locks import read_locks
    from gitops.images.machine import native
    from gitops.render.dockerfile import dockerfile
    from gitops.render.templates import recipe
    from gitops.system.places import places

    loaded = load(fleet_root(fleet))
    locks = read_locks(loaded)
    arch = architecture or native()
    names = references(loaded, identities(loaded, locks, recipe(loaded.root)))
    engine, place = Docker(), places()
    with (
        shown() as progress,
        supply(
            loaded,
            locks,
            names,
            engine,
            place,
            parents_only=True,
            tell=lambda line: print(line, file=sys.stderr),
            refused=lambda _image, _why: None,
            progress=progress,
        ) as supplied,
    ):
        done = build_images(
            loaded,
            locks,
            images or None,
            arch,
            dockerfile=lambda image: dockerfile(loaded, image, arch, names),
            references=names,
            engine=engine,
            places=place,
            progress=progress,
            jobs=jobs,
            again=again,
            supply=supplied,
        )
    for one in done:
        how = "exists" if one.seconds is None else f"built in {one.seconds:.1f} s"
        how = "pulled" if one.pulled else how
        print(f"{one.image} {one.architecture}: {how}, {one.reference}")
