"""Room on the disks for what is about to be built, asked for before anything is begun."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from gitops.deploy.failures import Failures
from gitops.deploy.host import Wanted
from gitops.engine.docker import Docker
from gitops.engine.leftovers import Leftovers
from gitops.system.errors import UserError
from gitops.system.places import Places

_UNPACKED = 4
"""How many times its size a .deb takes when it is unpacked; Debian's mostly take three to four."""

_SPARE = 256 * 1024 * 1024
"""Bytes that stay free for everything else that this machine does."""

_ROOM = 32 * 1024 * 1024
"""Bytes without which nothing that runs is taken away."""


def require_space(wanted: Wanted, images: Iterable[str], engine: Docker, places: Places) -> None:
    """Tell whether images can be built, before a build fills the disk for everyone.

    Args:
        wanted: the fleet and its locks.
        images: what is to be built; what it stands on is counted, too, where it is missing.
        engine: asked for what is there.
        places: where .debs are kept.

    Raises:
        UserError: a disk has too little room; says which, and how much it takes.
    """
    architecture = wanted.fleet.hosts[wanted.host].architecture
    chain = wanted.fleet.parents_first(images)
    there = engine.images([wanted.references[name, architecture] for name in chain])
    todo = [name for name in chain if wanted.references[name, architecture] not in there]
    packages = {one.sha256: one for name in todo for one in wanted.locks[name, architecture].packages}
    store = places.cache / "store"
    fetched = sum(
        one.size for one in packages.values() if not (store / one.sha256[:2] / f"{one.sha256}.deb").is_file()
    )
    unpacked = _UNPACKED * sum(one.size for one in packages.values())
    takes: dict[Path, int] = {}
    for directory, size in ((store, fetched + unpacked), (Leftovers().directory(), unpacked)):
        disk = _mounted(directory)
        takes[disk] = takes.get(disk, 0) + size
    for disk, size in takes.items():
        free = shutil.disk_usage(disk).free
        if packages and free < size + _SPARE:
            raise UserError(
                f"building {', '.join(todo)} takes about {size / 1e9:.1f} GB on the disk of {disk}, "
                f"where {free / 1e9:.1f} GB are free and {_SPARE / 1e9:.1f} GB stay free; nothing was begun",
                hint="gitops volume list shows volumes that nothing has any more, docker system df the rest",
            )


def lack_of_room() -> str:
    """Say why the engine has too little room to put anything into the place of what runs; empty: it has room.

    Making a container takes little, but where there is nothing at all left, the old one cannot be started
    again either.
    """
    try:
        disk = _mounted(Leftovers().directory())
    except UserError:  # the first step will tell
        return ""
    free = shutil.disk_usage(disk).free
    if free >= _ROOM:
        return ""
    return f"the disk of {disk} has {free / 1e6:.0f} MB left, so that nothing which runs is replaced"


def let_try_again(places: Places) -> None:
    """Forget failures that were for want of room on the engine's disk, where there is room now."""
    failures = Failures(places.state)
    full = [name for name, failure in failures.read().items() if failure.full]
    if full and shutil.disk_usage(_mounted(Leftovers().directory())).free >= _SPARE:
        for name in full:
            failures.clear(name)


def _mounted(path: Path) -> Path:
    """Give where the disk of a path, which need not exist yet, is mounted."""
    here = path.absolute()
    while not here.exists() or (here != here.parent and here.stat().st_dev == here.parent.stat().st_dev):
        here = here.parent
    return here
