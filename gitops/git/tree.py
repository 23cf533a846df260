"""Trees with some files changed, made in memory: the user's index and work tree take no part."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import PurePosixPath

from git import Blob, Repo
from git.index import IndexFile
from git.index.typ import BaseIndexEntry, IndexEntry
from gitdb.base import IStream  # type: ignore[import-untyped]  # it ships no types

from gitops.git.repository import Repository
from gitops.system.errors import UserError

_SHA1 = 40  # hexadecimal digits of a name


def tree(repository: Repository, base: str, changes: Mapping[str, str | None]) -> str:
    """Store the tree of a commit with some files changed.

    Args:
        repository: where.
        base: the commit.
        changes: path below the repository's root to its new text, or None to remove it. An executable file
            stays one; a link becomes a file.

    Returns:
        The tree's name.

    Raises:
        UserError: the repository names its objects by SHA-256, which GitPython does not know.
    """
    if len(base) != _SHA1:
        raise UserError(
            f"{repository.root} names its objects by SHA-256, which proposals cannot be made in",
            hint="git init --object-format=sha1 makes one that they can",
        )
    with Repo(repository.directory) as repo:
        index = IndexFile.new(repo, repo.commit(base).tree)
        for path, text in changes.items():
            place = (repository.prefix + path, 0)
            old = index.entries.pop(place, None)
            if text is None:
                continue
            for above in PurePosixPath(place[0]).parents:
                index.entries.pop((str(above), 0), None)  # a file, where a directory is needed now
            data = text.encode()
            stored = repo.odb.store(IStream(b"blob", len(data), BytesIO(data)))
            mode = Blob.executable_mode if old and old.mode == Blob.executable_mode else Blob.file_mode
            index.entries[place] = IndexEntry.from_base(BaseIndexEntry((mode, stored.binsha, 0, place[0])))
        return index.write_tree().hexsha
