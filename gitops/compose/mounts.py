"""A service's volumes: named ones stay, what came from beside the file goes into the image or a volume."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops.compose.names import named
from gitops.compose.recipes import Recipe
from gitops.compose.source import Source
from gitops.fleet.document import At

_MOST_FILES, _MOST_BYTES = 500, 8 << 20
_ENGINE = "docker.sock"
_OPTIONS = {"ro", "rw", "nocopy"}


@dataclass
class Mounts:
    """What becomes of a service's volumes.

    Args:
        volumes: what stands in the app.
        named: the instance's own volumes among them, and where the service sees each.
        copies: what goes into the image: the file or directory, and where it goes.
    """

    volumes: list[Any] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Mount:
    kind: str
    source: str
    target: str
    read_only: bool
    size: Any = None


def mounts(source: Source, service: dict[str, Any], at: At, recipe: Recipe | None) -> Mounts:
    """Sort the volumes of a service; arguments as for `environment`."""
    found = Mounts()
    for index, entry in enumerate(service.get("volumes") or []):
        place = (*at, "volumes", index)
        mount = _long(source, entry, place) if isinstance(entry, dict) else _short(source, str(entry), place)
        if mount is None:
            continue
        target = _moved(mount.target, recipe)
        match mount.kind:
            case "tmpfs":
                size = {} if mount.size is None else {"size": mount.size}
                found.volumes.append({"type": "tmpfs", "target": target, **size})
            case "volume" if mount.source:
                _add(found, named(mount.source), target, read_only=mount.read_only)
            case "volume":
                _add(found, named(target), target, read_only=mount.read_only)
            case "bind":
                _bind(source, found, mount, target, place)
            case _:
                source.note(place, f"a mount of type {mount.kind} has no counterpart")
    return found


def _bind(source: Source, found: Mounts, mount: _Mount, target: str, place: At) -> None:
    if mount.source.endswith(_ENGINE):
        source.note(place, "whoever has the engine's socket is root on the host: left out")
    elif mount.source.strip("./") == "":
        source.note(
            place, "a program's own files belong into its image: `copy` in images/NAME.yaml; left out"
        )
    elif mount.source.startswith("/") or "${" in mount.source:
        found.volumes.append(f"{mount.source}:{target}" + (":ro" if mount.read_only else ""))
        source.note(
            place, f"every instance on a host would share {mount.source}; a volume of its own is safer"
        )
    elif (file := source.beside(mount.source)) and (file.is_file() or mount.read_only) and _small(file):
        found.copies.append((file, target))
        source.note(place, f"{mount.source} is a part of the image now, from its directory in images/")
    else:
        name = named(Path(mount.source).name)
        _add(found, name, target, read_only=mount.read_only)
        source.note(place, f"a host has no {mount.source}: it is the volume {name} now, and begins empty")


def _add(found: Mounts, name: str, target: str, *, read_only: bool) -> None:
    found.named[name] = target
    found.volumes.append(f"{name}:{target}" + (":ro" if read_only else ""))


def _small(path: Path) -> bool:
    files = list(files_of(path))
    return len(files) <= _MOST_FILES and sum(each.stat().st_size for each in files) <= _MOST_BYTES


def files_of(path: Path) -> Iterator[Path]:
    """Give a file, or those of a directory: no links, and nothing of git's or of variables."""
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        inside = file.relative_to(path).parts
        if (
            file.is_file()
            and not file.is_symlink()
            and ".git" not in inside
            and not inside[-1].startswith(".env")
        ):
            yield file


def _short(source: Source, text: str, place: At) -> _Mount | None:
    """Take SOURCE:TARGET[:OPTIONS] apart; a colon inside `${…:-…}` is none that parts it."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if character == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if len(parts) == 1:
        return _Mount("volume", "", parts[0], read_only=False)
    options = set(parts[2].split(",")) if len(parts) > 2 else set()  # noqa: PLR2004 - the third part
    if options - _OPTIONS - {"z", "Z"}:
        source.note(
            place, f"the options {', '.join(sorted(options - _OPTIONS - {'z', 'Z'}))} have no counterpart"
        )
    kind = "bind" if parts[0].startswith(("/", ".", "~", "$")) else "volume"
    return _Mount(kind, parts[0], parts[1], read_only="ro" in options)


def _long(source: Source, entry: dict[str, Any], place: At) -> _Mount | None:
    if "target" not in entry:
        source.note(place, "has no target")
        return None
    size = None
    for key, inner in entry.items():
        if key == "tmpfs" and isinstance(inner, dict):
            size = inner.get("size")
            inner = {name: value for name, value in inner.items() if name != "size"}  # noqa: PLW2901
        if key not in {"type", "source", "target", "read_only"} and inner:
            source.note((*place, key), "has no counterpart")
    kind, name = str(entry.get("type", "volume")), str(entry.get("source") or "")
    return _Mount(kind, name, str(entry["target"]), read_only=bool(entry.get("read_only")), size=size)


def _moved(target: str, recipe: Recipe | None) -> str:
    for there, here in (recipe.moved if recipe else {}).items():
        if target == there or target.startswith(f"{there}/"):
            return here + target.removeprefix(there)
    return target
