"""`gitops volume`: the volumes of this host, and those that nothing names any more."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import JsonOption

if TYPE_CHECKING:
    from gitops.engine.leftovers import Leftovers, Volume

app = typer.Typer(
    help="See this host's volumes, and remove those that no instance has.", no_args_is_help=True
)


@app.command("list")
def list_volumes(json: JsonOption = False) -> None:
    """List this host's volumes; an orphan is one that no instance placed here names any more."""
    from gitops.engine.leftovers import Leftovers

    with Leftovers() as engine:
        volumes, left = _volumes(engine)
    orphans = {one.name for one in left}
    if json:
        from gitops.cli.document import emit

        emit(volumes=[{**vars(one), "orphan": one.name in orphans} for one in volumes])
    elif volumes:
        from gitops.cli.table import show

        rows = [(one.name, "orphan" if one.name in orphans else "") for one in volumes]
        show(("volume", "note"), rows, [f"{name}  {note}".rstrip() for name, note in rows])
    else:
        print("this host has no volumes")


@app.command()
def prune(
    yes: Annotated[
        bool, typer.Option("--yes", help="Really remove them; otherwise they are only named.")
    ] = False,
) -> None:
    """Remove the volumes that no instance placed here names any more, and all data in them."""
    from gitops.agent.rollback import rolled_back
    from gitops.deploy.orphans import prune as remove
    from gitops.engine.held import engine_lock
    from gitops.engine.leftovers import Leftovers
    from gitops.system.errors import UserError
    from gitops.system.locks import exclusive
    from gitops.system.places import places

    place = places()
    with exclusive(engine_lock(place), "this host's engine"), Leftovers() as engine:
        if rolled := rolled_back(place):
            raise UserError(
                f"this host is {rolled}", hint="volumes of the version that was left are no orphans"
            )
        _, left = _volumes(engine)
        if not left:
            print("no volume is an orphan")
        if not yes:
            for one in left:
                print(f"would remove {one.name}")
            if left:
                print("nothing was removed: gitops volume prune --yes does")
            return
        gone, kept = remove(engine, left)
        for one in gone:
            print(f"removed {one.name}")
        for one in kept:
            print(f"kept {one.name}: a container has it")


def _volumes(engine: "Leftovers") -> "tuple[list[Volume], list[Volume]]":
    """Give this host's volumes, and those of them that are orphans."""
    from gitops.agent.generation import current
    from gitops.deploy.host import want
    from gitops.deploy.orphans import orphans
    from gitops.engine.docker import Docker
    from gitops.system.places import places

    place = places()
    generation = current(place)
    wanted = want(generation.path, generation.host, place)
    fleet, host = wanted.fleet.settings.name, wanted.host
    volumes = engine.volumes(fleet, host)
    return volumes, orphans(wanted.desired, Docker().containers(fleet, host), volumes)
