"""What a build sees: the context whose layout gitops/render/dockerfile.py describes."""

import contextlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from gitops.debian.packages import Package
from gitops.debian.store import Store
from gitops.fleet.files import CopiedFile, copied_files
from gitops.fleet.fleet import Fleet
from gitops.system.errors import UserError
from gitops.system.files import sha256


def deb_name(package: Package) -> str:
    """Name a .deb inside a context: there is one version of each, whose colon would mean something to apt."""
    return f"{package.name}_{package.architecture}.deb"


def put_debs(packages: Iterable[Package], store: Store, directory: Path) -> None:
    """Put .debs into a directory, hard links where that can be.

    Raises:
        UserError: what the store has is not what the lock says.
    """
    directory.mkdir(parents=True)
    for package in packages:
        kept, here = store.path(package.sha256), directory / deb_name(package)
        try:
            os.link(kept, here)
        except OSError:
            shutil.copyfile(kept, here)
        if sha256(here) != package.sha256:
            raise UserError(
                f"{package.name} {package.version} in the store is not the file that its lock names",
                file=kept,
                hint="somebody or a bad disk has changed it; remove it, and the next build fetches it again",
            )


def put_files(fleet: Fleet, image: str, epoch: int, target: Path) -> None:
    """Write what an image copies from the fleet as a tar archive, the same bytes each time.

    The archive names owners, which the image knows and this machine need not; tar inside the build looks them
    up. New directories from a `copy` entry's target down belong to its owner; those above it belong to root.

    Args:
        fleet: the fleet.
        image: the image's name.
        epoch: the time of every file, seconds since 1970 (UTC).
        target: the archive.
    """
    definition = fleet.images[image]
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        copied = copied_files(fleet.root, image, definition)
        for number, entry in enumerate(definition.copies):
            files = [file for file in copied if file.entry == number]
            for directory in _directories(files, entry.target):
                archive.addfile(_member(directory, entry.owner, 0o755, epoch, tarfile.DIRTYPE))
            for file in files:
                content = file.source.read_bytes()
                member = _member(file.target, file.owner, file.mode, epoch, tarfile.REGTYPE)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def _directories(files: Iterable[CopiedFile], target: str) -> list[str]:
    """Give the directories that hold the files, from the target down; parents come before what is in them."""
    top = PurePosixPath(target)
    found: set[PurePosixPath] = set()
    for file in files:
        found |= {parent for parent in PurePosixPath(file.target).parents if parent.is_relative_to(top)}
    return [str(path) for path in sorted(found) if path != PurePosixPath("/")]


def _member(path: str, owner: str, mode: int, epoch: int, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    user, _, group = owner.partition(":")
    member.type, member.mode, member.mtime = kind, mode, epoch
    # A number is a number; a name goes by name, and a group that is not given is the user's own name.
    member.uname, member.gname = user, group or user
    with contextlib.suppress(ValueError):
        member.uid, member.uname = int(user), ""
    with contextlib.suppress(ValueError):
        member.gid, member.gname = int(group or user), ""
    return member
