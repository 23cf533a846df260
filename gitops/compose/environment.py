"""A service's variables: those of its own, those of its files, and those that hold passwords."""

from collections.abc import Iterator
from typing import Any

from gitops.compose.names import named
from gitops.compose.recipes import Recipe
from gitops.compose.source import Source, listed, read_variables
from gitops.compose.variables import is_secret
from gitops.fleet.document import At


def environment(
    source: Source, service: dict[str, Any], at: At, recipe: Recipe | None
) -> tuple[dict[str, Any], list[str]]:
    """Give the variables that may stand in git, and the secrets that take the place of the others.

    Args:
        source: the Compose file.
        service: one of its services; `environment` and `env_file` are read.
        at: where that stands.
        recipe: what takes its image's place; ours read NAME_FILE in place of NAME, as the originals do.
    """
    kept: dict[str, Any] = {}
    secrets: list[str] = []
    for name, value, place in _all(source, service, at):
        if recipe and name in recipe.unneeded:
            source.note(place, recipe.unneeded[name])
        elif value is None:
            source.note(place, f"{name} came from who ran Compose; it is a parameter now")
            kept[name] = f"${{{name}}}"
        elif recipe and recipe.database and is_secret(name, value or "to be filled in"):
            secret = named(f"{at[-1]}-{name}")
            kept[f"{name}_FILE"] = f"/run/secrets/{secret}"
            secrets.append(secret)
            source.note(
                place, f"a password is no matter for git: printf %s VALUE | gitops secret set {secret}"
            )
        elif is_secret(name, value):
            source.note(place, _left_out(name))
        else:
            kept[name] = value
    return kept, secrets


def _left_out(name: str) -> str:
    secret = named(name)
    return (
        f"{name} looks like a password, which is no matter for git: left out; printf %s VALUE | gitops secret"
        f" set {secret}, name it under `secrets`, and let the program read /run/secrets/{secret}"
    )


def _all(source: Source, service: dict[str, Any], at: At) -> Iterator[tuple[str, Any, At]]:
    """Give name, value and place of every variable; the service's own come last and win."""
    found: dict[str, tuple[Any, At]] = {}
    for index, entry in enumerate(listed(service.get("env_file"))):
        place = (
            (*at, "env_file") if not isinstance(service.get("env_file"), list) else (*at, "env_file", index)
        )
        name = entry.get("path") if isinstance(entry, dict) else entry
        file = source.beside(str(name))
        if file is None or not file.is_file():
            source.note(place, f"{name} is not there beside the file; write its variables into the app")
            continue
        source.note(place, f"the variables of {name} stand in the app now")
        # A file's values are taken as they are: a $ in them is none of ours.
        found |= {key: (value.replace("$", "$$"), place) for key, value in read_variables(file).items()}
    own = service.get("environment") or {}
    if isinstance(own, list):
        for index, entry in enumerate(own):
            name, given, value = str(entry).partition("=")
            found[name] = (value if given else None, (*at, "environment", index))
    elif isinstance(own, dict):
        found |= {str(name): (value, (*at, "environment", name)) for name, value in own.items()}
    for name, (value, place) in found.items():
        yield name, value, place
