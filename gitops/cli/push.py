"""`gitops push`: push images to the fleet's registry, each with a signed statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption

if TYPE_CHECKING:
    from gitops.system.places import Places


def push(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGE]...", help="Images; otherwise all.")
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(
            "--layer", min=1, metavar="N", help="Only those of a layer: 1 is bases, 2 what stands on them…"
        ),
    ] = None,
    architecture: Annotated[
        str | None, typer.Option("--arch", metavar="ARCH", help="Architecture; otherwise this machine's.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            envvar="GITOPS_STATEMENT_KEY",
            metavar="FILE",
            help="ssh key that signs: private, maybe encrypted by age (*.age); or public, of ssh-agent.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Replace what the registry has, image and statement.")
    ] = False,
    fleet: FleetOption = None,
) -> None:
    """Push the images that the registry does not have yet, and sign which digest each identity has.

    Layers that are there are not sent again. Whatever kills it, the next run carries on.
    """
    from gitops.cli.options import fleet_root
    from gitops.cli.progress import shown
    from gitops.cli.saying import say
    from gitops.engine.docker import Docker
    from gitops.fleet.fleet import layers
    from gitops.fleet.load import load
    from gitops.images.identity import identities, references
    from gitops.images.locks import read_locks
    from gitops.images.machine import native
    from gitops.images.push import Push
    from gitops.registry.registry import connect
    from gitops.render.recipe import recipe
    from gitops.system.errors import UserError
    from gitops.system.places import places

    loaded = load(fleet_root(fleet))
    if loaded.settings.registry is None:
        raise UserError(
            "names no registry", file="fleet.yaml", hint="add: registry: HOST[:PORT][/PATH]; docs/registry.md"
        )
    if key is None:
        raise UserError(
            "no key to sign statements with, without which no host takes an image",
            hint="--key FILE or GITOPS_STATEMENT_KEY; docs/registry.md tells how to make one",
        )
    arch = architecture or native()
    there = layers(loaded)
    if layer and layer > len(there):
        raise UserError(f"there is no layer {layer}: the fleet's images are in {len(there)}")
    among = there[layer - 1] if layer else [image for one in there for image in one]
    for image in loaded.parents_first(images) if images else ():
        if image in (images or ()) and arch not in loaded.architectures_of(image):
            raise UserError(f"is not made for {arch}", file=f"images/{image}.yaml")
    wanted = [
        image for image in among if arch in loaded.architectures_of(image) and (not images or image in images)
    ]
    names = references(loaded, identities(loaded, read_locks(loaded), recipe(loaded.root)))
    place = places()
    with (
        shown() as progress,
        _readable(key, place) as signing,
        Docker() as engine,
        connect(loaded.settings.registry, place) as registry,
    ):
        called = {image: names[image, arch] for image in wanted}
        work = Push(loaded, arch, called, engine, registry, signing, progress, say, again=again)
        done = work.run(wanted)
    for one in done:
        how = f"pushed, {one.digest}" if one.digest else "is there"
        print(f"{one.image} {arch}: {how}, {one.reference}")


@contextmanager
def _readable(key: Path, places: "Places") -> Iterator[Path]:
    """Give a file with the key in the clear: itself, or in memory for as long as it is needed."""
    if key.suffix != ".age":
        yield key
        return
    from gitops.secrets.age import decrypt
    from gitops.secrets.memory import private_directory
    from gitops.system.files import write

    with private_directory(places.runtime) as directory:
        write(directory / "key", decrypt(key, places.config / "age.key"), 0o600)
        yield directory / "key"
