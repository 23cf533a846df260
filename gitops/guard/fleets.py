"""Which fleets a tree holds: at its top, or in directories of a larger repository."""

from collections.abc import Sequence

from gitops.git.listing import objects
from gitops.git.repository import Repository

FILE = "fleet.yaml"


def fleets(repository: Repository, tree: str, paths: Sequence[str]) -> dict[str, str]:
    """Find fleets.

    Args:
        repository: where.
        tree: what names the tree.
        paths: where fleets may be; empty: at the top, and in each directory of the top.

    Returns:
        Directory (empty: the top) to the name of its tree.
    """
    paths = paths or ["", *_directories(repository, tree)]
    tops = {path: f"{tree}:{path}" for path in paths if "\n" not in path}
    files = {path: f"{tree}:{path}/{FILE}" if path else f"{tree}:{FILE}" for path in tops}
    found = objects(repository, [*tops.values(), *files.values()])
    return {
        path: found[top][1]
        for path, top in tops.items()
        if found.get(top, ("", ""))[0] == "tree" and found.get(files[path], ("", ""))[0] == "blob"
    }


def _directories(repository: Repository, tree: str) -> list[str]:
    text = repository.git("ls-tree", "-d", "-z", "--name-only", "--full-tree", tree).stdout
    # A tree may hold anything; for git, `TREE:..` asks about the directory it runs in.
    return [name for name in text.split("\0") if name.strip(".") and "/" not in name]
