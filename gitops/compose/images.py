"""The images of an imported app: Debian's in place of a registry's, or a stub to be filled in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gitops.compose.mounts import files_of
from gitops.compose.names import named
from gitops.compose.recipes import RECIPES, Recipe, other_version, reference
from gitops.compose.source import Source
from gitops.fleet.document import At
from gitops.system.shipped import shipped


@dataclass
class Image:
    """An image to be written.

    Args:
        name: in the fleet.
        recipe: Debian's packages in place of a registry's image; None: a stub.
        about: what it takes the place of, for the comment at its top.
        copies: files and directories from beside the Compose file, and where they go.
    """

    name: str
    recipe: Recipe | None
    about: str
    copies: list[tuple[Path, str]] = field(default_factory=list)


def image_of(source: Source, service: Mapping[str, Any], at: At, app: str) -> Image:
    """Choose the image of a service, and say what is different from the one that it had."""
    name, own = str(service.get("image") or ""), named(f"{app}-{at[-1]}")
    say = f"say in images/{own}.yaml which packages and files it consists of"
    if "build" in service:
        source.note((*at, "build"), f"only Debian packages and the fleet's files get into an image: {say}")
        return Image(own, None, f"what `build` made for the service {at[-1]}")
    found = reference(name)
    recipe = RECIPES.get(found.name)
    place = (*at, "image")
    if recipe is None:
        source.note(place, f"{name or 'no image'} is not one Debian package away: {say}")
        return Image(own, None, f"{name}, for the service {at[-1]}")
    if recipe.says:
        source.note(place, recipe.says)
    if other_version(recipe, found.tag):
        move = "move data by a dump, not by its files"
        source.note(place, f"{name} was version {found.tag}; Debian 13 has {recipe.version}: {move}")
    return Image(recipe.name, recipe, name)


def image_files(image: Image, base: str) -> dict[str, tuple[bytes, int]]:
    """Give the files of an image: path in the fleet, content and octal mode."""
    name = image.name
    definition: dict[str, Any] = {"from": base, "packages": []}
    files: dict[str, tuple[bytes, int]] = {}
    comment = f"# In place of {_line(image.about)}.\n"
    if image.recipe:
        top = shipped("templates") / "images"
        text = (top / f"{image.recipe.name}.yaml").read_text()
        if not image.copies:
            files[f"images/{name}.yaml"] = (
                f"{comment}{text.replace('from: trixie', f'from: {base}')}".encode(),
                0o644,
            )
            return files | _beside(top / image.recipe.name, f"images/{name}")
        definition = YAML().load(text)
        definition["from"] = base
        files |= _beside(top / image.recipe.name, f"images/{name}")
    else:
        comment += (
            "# To do: packages, copy, entrypoint and the rest of what docs/reference.md has for images.\n"
        )
    copies = definition.setdefault("copy", []) if image.copies else []
    for path, target in image.copies:
        files |= _beside(path, f"images/{name}/{path.name}")
        copies[:] = [each for each in copies if each["target"] != target]
        copies.append({"source": path.name, "target": target})
    files[f"images/{name}.yaml"] = (f"{comment}{dumped(definition)}".encode(), 0o644)
    return files


def dumped(content: Any) -> str:  # noqa: ANN401 - any YAML
    """Write YAML as the starter fleets have it."""
    yaml, text = YAML(), StringIO()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(content, text)
    return text.getvalue()


def _beside(path: Path, target: str) -> dict[str, tuple[bytes, int]]:
    """Give the files of a file or directory; links that lead elsewhere are not followed."""
    return {
        target if file == path else f"{target}/{file.relative_to(path)}": (
            file.read_bytes(),
            0o755 if os.access(file, os.X_OK) else 0o644,
        )
        for file in files_of(path)
    }


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:200]
