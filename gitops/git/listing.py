"""What a tree holds, looked at before any of it is written: nobody has vouched for it yet."""

import subprocess
from dataclasses import dataclass

from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.run import start

LARGEST = 1 << 30
"""Bytes of all files together."""

_LISTING = 1 << 24
"""Bytes of a listing, of a hundred thousand files or more; trees that hold each other can mean billions."""

_LINK = b"120000"


@dataclass(frozen=True)
class Listing:
    """What a tree holds.

    Args:
        tree: its name.
        files: how many.
        size: bytes of all of them together.
        links: paths of its symbolic links.
    """

    tree: str
    files: int
    size: int
    links: tuple[str, ...]


def listing(repository: Repository, tree: str) -> Listing:
    """Look at all that a tree holds, before any of it is written.

    Args:
        repository: where it is.
        tree: its name.

    Raises:
        UserError: it holds more than anybody can mean.
    """
    size, links = 0, []
    entries = _entries(repository, tree)
    for entry in entries:
        about, _, path = entry.partition(b"\t")
        mode, _kind, _name, length = about.split()
        if length != b"-":  # a submodule
            size += int(length)
        if mode == _LINK:
            links.append(path.decode(errors="surrogateescape"))
    if size > LARGEST:
        raise UserError(f"holds {size >> 20:,} MiB of files, more than {LARGEST >> 20:,}")
    return Listing(tree, len(entries), size, tuple(links))


def objects(repository: Repository, names: list[str]) -> dict[str, tuple[str, str]]:
    """Ask what several names mean: `TREE:path` to the object's kind and name; what means nothing is left out.

    A name must hold no line feed.
    """
    asked = "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")
    answer = repository.git("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=asked)
    found = {}
    for name, line in zip(names, answer.stdout.splitlines(), strict=True):
        kind, _, identity = line.rpartition(" ")
        if kind in {"blob", "tree", "commit"} and identity != "missing":
            found[name] = (kind, identity)
    return found


def _entries(repository: Repository, tree: str) -> list[bytes]:
    command = ["git", f"--git-dir={repository.directory}", "ls-tree", "-r", "-l", "-z", "--full-tree", tree]
    with start(command, stderr=subprocess.DEVNULL) as process:
        data = process.stdout.read(_LISTING) if process.stdout else b""
        if len(data) == _LISTING:
            process.kill()
            raise UserError(
                "holds more files than any fleet", hint="the server stops counting after 16 MiB of names"
            )
    if process.returncode:
        raise UserError(f"tree {tree[:12]} cannot be read", hint="is the repository sound? git fsck tells")
    return [entry for entry in data.split(b"\0") if entry]
