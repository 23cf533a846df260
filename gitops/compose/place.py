"""Putting what came of a Compose file into a fleet."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops.compose.app import translate_all
from gitops.compose.names import named
from gitops.compose.source import Note, read_source
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.system.errors import Problem, UserError
from gitops.system.files import write


@dataclass(frozen=True)
class Done:
    """What an import has done.

    Args:
        written: paths in the fleet, the app's first.
        kept: images that were there already.
        notes: what was not carried over as it stood.
        problems: what `gitops check` says of the fleet now, that it did not say before.
        instance: a line for a host's file.
    """

    written: Sequence[str]
    kept: Sequence[str]
    notes: Sequence[Note]
    problems: Sequence[Problem]
    instance: str


def import_file(path: Path, app: str | None, root: Path) -> Done:
    """Turn a Compose file into an app of a fleet.

    Args:
        path: the file.
        app: the app's name; None: the file's own `name`, otherwise that of its directory.
        root: the fleet.

    Raises:
        UserError: file or fleet cannot be read, or the fleet has such an app; nothing is written then.
    """
    fleet = load(root, secrets_to_come=True)
    source = read_source(path)
    name = named(app or str(source.document.content.get("name") or source.directory.name))
    if app is not None and app != name:
        raise UserError(f"{app!r} cannot be an app's name", hint=f"lower-case letters and hyphens, as {name}")
    if (root / f"apps/{name}.yaml").exists():
        raise UserError(
            "exists already", file=f"apps/{name}.yaml", hint="choose another name with --app NAME"
        )
    imported = translate_all(source, name, _base(fleet))
    kept = [f"images/{image}.yaml" for image in imported.images if image in fleet.images]
    new = {
        file: content
        for file, content in imported.files.items()
        if not any(
            file == each or file.startswith(each.removesuffix("yaml").rstrip(".") + "/") for each in kept
        )
    }
    for file in new:
        if (root / file).exists():
            raise UserError("exists already", file=file, hint="choose another name with --app NAME")
    before = _problems(root)
    for file, (data, mode) in new.items():
        write(root / file, data, mode)
    problems = [problem for problem in _problems(root) if problem not in before]
    return Done(list(new), kept, imported.notes, problems, f"{name}: {{app: {name}}}")


def _base(fleet: Fleet) -> str:
    """Choose the image that new ones stand on: the only base, or the first whose archive has trixie."""
    bases = sorted(name for name, image in fleet.images.items() if image.is_base)
    if not bases:
        raise UserError(
            "the fleet has no base image", hint="add one, `from: scratch`; gitops init writes one"
        )
    return next((each for each in bases if "trixie" in each), bases[0])


def _problems(root: Path) -> Sequence[Problem]:
    try:
        load(root)
    except UserError as error:
        return error.problems
    return ()
