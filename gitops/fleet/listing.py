"""Which definitions a fleet holds, by the names of its files."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from gitops.fleet.values import NAME
from gitops.system.errors import Problem

_NAME = re.compile(NAME)
_RULE = "a name has lower-case letters, digits and hyphens, at most 63"
_IGNORED = ("README", "README.md")
_SUFFIXES = {"images": ".yaml", "apps": ".yaml", "hosts": ".yaml", "secrets": ".age"}


@dataclass
class Listing:
    """The files of one kind of definition.

    Args:
        kind: images, apps, hosts or secrets.
        files: path of each by name, sorted.
        problems: what does not belong there.
    """

    kind: str
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def list_definitions(root: Path, kind: str) -> Listing:
    """List the definitions of one kind; files whose name begins with a dot are nobody's business.

    Args:
        root: the fleet; absolute, symlinks resolved.
        kind: images, apps, hosts or secrets.
    """
    listing = Listing(kind)
    lower: dict[str, str] = {}
    try:
        entries = sorted(os.scandir(root / kind), key=lambda entry: entry.name)
    except FileNotFoundError:
        return listing
    except OSError as error:
        listing.problems.append(Problem(kind, message=f"cannot be read: {error.strerror}"))
        return listing
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _IGNORED:
            continue
        file = f"{kind}/{entry.name}"
        twin = lower.setdefault(entry.name.lower(), entry.name)
        if twin != entry.name:
            message, hint = f"differs from {kind}/{twin} only in case", "rename one"
        elif entry.is_symlink() and not leads_inside(Path(entry.path), root):
            message, hint = "is a symlink that leaves the fleet", "put the file itself there"
        else:
            message, hint = _strange(entry, kind)
        if message:
            listing.problems.append(Problem(file, message=message, hint=hint))
        elif entry.is_file():
            listing.files[entry.name.removesuffix(_SUFFIXES[kind])] = Path(entry.path)
    return listing


def leads_inside(path: Path, root: Path) -> bool:
    """Tell whether a path, its symlinks followed, stays inside the fleet.

    Args:
        path: what may be, or lie behind, a symlink.
        root: the fleet; absolute, symlinks resolved.
    """
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a symlink that leads to itself
        return False


def _strange(entry: os.DirEntry[str], kind: str) -> tuple[str, str]:
    """Give what is wrong with an entry and what would be right; two empty texts when nothing is."""
    suffix = _SUFFIXES[kind]
    stem = entry.name.removesuffix(suffix)
    if entry.is_dir():
        return _strange_directory(entry, kind)
    if suffix == ".yaml" and entry.name.endswith(".yml"):
        return "must end in .yaml", f"rename it to {entry.name.removesuffix('.yml')}.yaml"
    if stem == entry.name or not entry.is_file():
        return "is not expected here", f"{kind} are files {kind}/NAME{suffix}"
    return _strange_name(stem, kind)


def _strange_directory(entry: os.DirEntry[str], kind: str) -> tuple[str, str]:
    suffix = _SUFFIXES[kind]
    if kind != "images":
        return "is a directory, which means nothing here", f"{kind} are files {kind}/NAME{suffix}"
    if not Path(f"{entry.path}{suffix}").exists():
        return "belongs to no image", f"its image would be {kind}/{entry.name}{suffix}"
    return "", ""


def _strange_name(stem: str, kind: str) -> tuple[str, str]:
    if not _NAME.fullmatch(stem):
        return f"`{stem}` is not a name", _renamed(stem, _SUFFIXES[kind])
    if kind == "images" and stem == "scratch":
        return "`scratch` means no image at all", "choose another name"
    return "", ""


def _renamed(stem: str, suffix: str) -> str:
    better = re.sub("[^a-z0-9]+", "-", stem.lower()).strip("-")
    return f"{_RULE}; rename it to {better}{suffix}" if _NAME.fullmatch(better) else _RULE
