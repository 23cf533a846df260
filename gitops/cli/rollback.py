"""`gitops rollback`: run the generation before, until git moves on."""

from typing import Annotated

import typer


def rollback(
    end: Annotated[
        bool, typer.Option("--end", help="Run git's newest commit again instead; takes a rollback back.")
    ] = False,
) -> None:
    """Run the generation before on this host, until git has a commit newer than the one that is left.

    Nothing changes in git. Volumes stay as they are: what a newer version wrote, the older one finds.
    """
    from gitops.agent.generation import current
    from gitops.agent.reconcile import reconcile
    from gitops.agent.rollback import go_back, go_forward
    from gitops.cli.apply import build_with, tell
    from gitops.cli.progress import shown
    from gitops.engine.docker import Docker
    from gitops.git.repository import Repository
    from gitops.system.places import places

    place = places()
    generation = current(place)
    rolled = go_forward(place) if end else go_back(place)
    tell(f"{generation.host}: {f'runs {rolled.left[:12]} again' if end else rolled}")
    with Docker() as engine:
        build = build_with(engine, place)
        # Both generations are kept on the host; the repository is not needed for their files.
        git = Repository(generation.path)
        with shown() as progress:
            reconcile(
                git, rolled.left, generation.host, engine, place, build=build, tell=tell, progress=progress
            )
