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
        paths: where fleets may be; empty: at the top or, if none is there, in directories of the top.

    Returns:
        Directory (empty: the top) to the name of its tree.
    """
    if not paths:
        listed = _top(repository, tree)
        paths = [""] if FILE in listed else [name for name, kind in listed.items() if kind == "tree"]
    tops = {path: f"{tree}:{path}" for path in paths if "\n" not in path}
    files = {path: f"{tree}:{path}/{FILE}" if path else f"{tree}:{FILE}" for path in tops}
    found = objects(repository, [*tops.values(), *files.values()])
    return {
        path: found[top][1]
        for path, top in tops.items()
        if found.get(top, ("", ""))[0] == "tree" and found.get(files[path], ("", ""))[0] == "blob"
    }


def _top(repository: Repository, tree: str) -> dict[str, str]:
    text = repository.git("ls-tree", "-z", "--full-tree", tree).stdout
    lines = (entry.partition("\t") for entry in text.split("\0") if entry)
    return {path: about.split(" ")[1] for about, _, path in lines}
