"""`gitops lock`: choose the packages of images."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.options import FleetOption

if TYPE_CHECKING:
    from gitops.images.lock import Lock

_SHOWN = 4


def lock(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGE]...", help="Images; otherwise all.")
    ] = None,
    architecture: Annotated[
        list[str] | None, typer.Option("--arch", metavar="ARCH", help="Only for this architecture.")
    ] = None,
    fleet: FleetOption = None,
) -> None:
    """Choose the packages of images from their archives as they are now.

    Writes locks/IMAGE.ARCH.lock. An image that stands on one that changes is locked anew with it. Nothing is
    written when anything goes wrong.
    """
    from gitops.cli.options import fleet_root
    from gitops.cli.progress import shown
    from gitops.fleet.load import load
    from gitops.images.locking import hold_locks, lock_images, write_locks
    from gitops.images.locks import left_over, read_locks
    from gitops.system.places import places

    root, here = fleet_root(fleet), places()
    with hold_locks(root, here):
        loaded = load(root)
        old = read_locks(loaded, broken_too=False)
        with shown() as progress:
            new = lock_images(
                loaded, old, images or None, architecture or None, places=here, progress=progress
            )
        write_locks(root, new)
        for (image, arch), made in new.items():
            print(f"{image} {arch}: {_told(old.get((image, arch)), made)}")
        for path in [] if images or architecture else left_over(loaded):
            path.unlink()
            print(f"{path.relative_to(root)}: removed, the fleet has no such image any more")


def _told(old: "Lock | None", new: "Lock") -> str:
    """Say on one line what is different: `2 of 143 packages changed: php8.4 8.4.27-1 → 8.4.28-1, …`."""
    from gitops.images.lock import changes

    count = f"{len(new.packages)} packages"
    if old is None:
        return f"new, {count}"
    if old == new:
        return f"unchanged, {count}"
    different = changes(old.packages, new.packages)
    if not different:
        return f"the same {count}, from another definition or place"
    more = len(different) - _SHOWN
    listed = [str(change) for change in different[:_SHOWN]] + ([f"and {more} more"] if more > 0 else [])
    return f"{len(different)} changes, {count}: {', '.join(listed)}"
