"""`gitops apply`: make this host what the fleet's commit says."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption, HostOption

if TYPE_CHECKING:
    from gitops.agent.reconcile import Build
    from gitops.deploy.host import Wanted
    from gitops.engine.docker import Docker
    from gitops.system.places import Places


def apply(
    fleet: FleetOption = None,
    host: HostOption = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Remove every container when the host has no instances.")
    ] = False,
) -> None:
    """Make this host what the commit that is checked out says.

    Volumes are never removed. It can be interrupted at any time and run again.
    """
    from gitops.agent.rollback import instead_of, rolled_back
    from gitops.agent.unchanged import clean_commit, still_so
    from gitops.cli.options import fleet_root
    from gitops.engine.docker import Docker
    from gitops.system.places import places

    root, place, engine = fleet_root(fleet), places(), Docker()
    commit = clean_commit(root)
    if commit and instead_of(commit, place) != commit:
        tell(f"this host is {rolled_back(place)}")
    if settled := still_so(commit, host, engine, place):
        if settled.error:
            raise settled.error
        tell(f"{settled.host}: nothing to do")
        return
    from gitops.agent.generation import clean_head
    from gitops.agent.reconcile import reconcile
    from gitops.cli.progress import shown
    from gitops.git.repository import Repository

    git = Repository(root)
    build = build_with(engine, place)
    with shown() as progress:
        reconcile(
            git,
            clean_head(git),
            host,
            engine,
            place,
            build=build,
            tell=tell,
            allow_empty=allow_empty,
            progress=progress,
        )


def tell(line: str) -> None:
    """Print a line at once, in one write: instances are worked on side by side."""
    print(f"{line}\n", end="", flush=True)


def build_with(engine: "Docker", places: "Places") -> "Build":
    """Give what makes images be there for `reconcile`, pulled or built; shows on a terminal how far it is."""

    def made(wanted: "Wanted", images: Sequence[str]) -> None:
        from gitops.agent.doubts import doubt, forget
        from gitops.agent.supply import supply
        from gitops.cli.progress import shown
        from gitops.images.build import build
        from gitops.render.dockerfile import dockerfile

        architecture = wanted.fleet.hosts[wanted.host].architecture
        forget(wanted.references.values(), places)
        with (
            shown() as progress,
            supply(
                wanted.fleet,
                wanted.locks,
                wanted.references,
                engine,
                places,
                parents_only=False,
                tell=tell,
                refused=lambda image, why: doubt(image, why, places),
                progress=progress,
            ) as supplied,
        ):
            build(
                wanted.fleet,
                wanted.locks,
                images,
                architecture,
                dockerfile=lambda image: dockerfile(wanted.fleet, image, architecture, wanted.references),
                references=wanted.references,
                engine=engine,
                places=places,
                progress=progress,
                supply=supplied,
            )

    return made
