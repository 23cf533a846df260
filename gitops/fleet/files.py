"""The files that an image copies from the fleet."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops.fleet.images import Copy, Image
from gitops.fleet.listing import leads_inside
from gitops.system.errors import UserError


@dataclass(frozen=True)
class CopiedFile:
    """One file and where it goes.

    Args:
        source: the file in the fleet, symlinks resolved.
        target: absolute path in the image.
        mode: octal permissions in the image.
        owner: user:group in the image, as for chown.
        entry: from 0, which of the image's `copy` entries asks for it.
    """

    source: Path
    target: str
    mode: int
    owner: str
    entry: int


def copied_files(root: Path, image_name: str, image: Image) -> list[CopiedFile]:
    """Give every file that an image copies, directories expanded, sorted by target within each entry.

    Args:
        root: the fleet.
        image_name: the image; its files live in images/NAME/.
        image: its definition.

    Raises:
        UserError: a source does not exist, leaves the fleet, or is no file.
    """
    files = []
    for entry, copy in enumerate(image.copies):
        files += entry_files(root, image_name, copy, entry)
    return files


def entry_files(root: Path, image_name: str, copy: Copy, entry: int) -> list[CopiedFile]:
    """Give the files of one `copy` entry; arguments and errors as for `copied_files`."""
    top = root.resolve()
    source = top / "images" / image_name / copy.source
    files = []
    for path, inside in _walk(source, "", top, ()):
        target = copy.target.rstrip("/") + inside
        if not inside and copy.target.endswith("/"):
            target = copy.target + source.name
        permissions = path.stat().st_mode
        mode = int(copy.mode, 8) if copy.mode else 0o755 if permissions & stat.S_IXUSR else 0o644
        files.append(CopiedFile(path, target, mode, copy.owner, entry))
    return sorted(files, key=lambda file: file.target)


def _walk(path: Path, inside: str, root: Path, above: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """Give (real path, path below the source) of each file; `above` are the directories it lies in."""
    name = os.path.relpath(path, root)
    if not name.isprintable():
        raise UserError(f"{name!a}: a file's name must be readable text")
    if not leads_inside(path, root):
        raise UserError(f"{name} is a symlink that leaves the fleet", hint="put the file itself there")
    if not path.exists():
        raise UserError(f"{name} does not exist")
    real = path.resolve()
    if real.is_file():
        yield real, inside
    elif real.is_dir():
        if real in above:
            raise UserError(f"{name} is a symlink to a directory that it lies in")
        for child in sorted(path.iterdir()):
            yield from _walk(child, f"{inside}/{child.name}", root, (*above, real))
    else:
        raise UserError(f"{name} is neither a file nor a directory")
