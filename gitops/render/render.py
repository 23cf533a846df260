"""Everything that follows from the definitions, as files; and what of it a fleet's files do not say yet."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.images.identity import identities, references
from gitops.images.locks import Locks, targets
from gitops.render.dockerfile import dockerfile
from gitops.render.mark import is_marked
from gitops.render.pipelines import FILES, pipelines
from gitops.render.recipe import recipe
from gitops.render.schedule import schedule_files
from gitops.system import files as disk
from gitops.system.errors import UserError

_TOP = "rendered"


def render(fleet: Fleet, locks: Locks) -> dict[str, str]:
    """Render a fleet; the same fleet gives the same bytes.

    Returns:
        Path below the fleet to text, sorted: `rendered/images/NAME.ARCH.Dockerfile`,
        what `schedule_files` gives below `rendered/hosts/HOST`, and pipelines.

    Raises:
        UserError: locks do not fit the definitions, or a value cannot be expressed in what is rendered.
    """
    names = references(fleet, identities(fleet, locks, recipe(fleet.root)))
    found = {
        f"{_TOP}/images/{image}.{architecture}.Dockerfile": dockerfile(fleet, image, architecture, names)
        for image, architecture in targets(fleet)
    }
    for host in fleet.hosts:
        for path, text in schedule_files(fleet, host).items():
            found[f"{_TOP}/hosts/{host}/{path}"] = text
    return dict(sorted({**found, **pipelines(fleet)}.items()))


def stale(root: Path, files: Mapping[str, str]) -> list[tuple[str, str]]:
    """Compare a fleet's files with what they should be, writing nothing.

    Returns:
        Path below the fleet, and why it is stale, sorted.
    """
    found = []
    for path, text in files.items():
        file = f"{root}/{path}"
        if not os.path.isfile(file):  # noqa: PTH113  # of thousands, pathlib takes twice as long
            found.append((path, "is missing"))
            continue
        with open(file, "rb") as opened:  # noqa: PTH123  # likewise
            same = opened.read() == text.encode()
        if not same:
            written = is_marked(root / path)
            found.append(
                (path, "is not what its definition says" if written else "was not written by gitops")
            )
    found += [(path, "belongs to nothing any more") for path in left_over(root, files)]
    return sorted(found)


def left_over(root: Path, files: Mapping[str, str]) -> list[str]:
    """Find the files that an earlier render wrote and that belong to nothing any more, sorted."""
    return sorted(path for path in set(_candidates(root)) - files.keys() if is_marked(root / path))


def write(root: Path, files: Mapping[str, str]) -> list[str]:
    """Make a fleet's rendered files what they should be; those that are so already are left alone.

    They are in git or can be rendered again, so no disk is waited for.

    Returns:
        Paths below the fleet of what was written or removed, sorted.

    Raises:
        UserError: a file that render did not write stands where one is to go; nothing is changed then.
    """
    _refuse_foreign(root, files)
    changed = [path for path, text in files.items() if disk.write(root / path, text, durable=False)]
    for path in left_over(root, files):
        (root / path).unlink()
        changed.append(path)
        _remove_empty((root / path).parent, root)
    return sorted(changed)


def _candidates(root: Path) -> Iterator[str]:
    yield from FILES
    # os.walk does not follow a symlink to a directory.
    for top, _, names in os.walk(f"{root}/{_TOP}"):
        directory = top.removeprefix(f"{root}/")
        yield from (f"{directory}/{name}" for name in names)


def _refuse_foreign(root: Path, files: Mapping[str, str]) -> None:
    real = root.resolve()
    directories = {path.rpartition("/")[0] for path in files}
    for directory in sorted(directories):
        if not (root / directory).resolve().is_relative_to(real):
            raise UserError("is a link that leaves the fleet", file=directory)
    present = {f"{name}/{file.name}" for name in directories for file in _listed(root / name)}
    for path in sorted(present & files.keys()):
        if not is_marked(root / path):
            raise UserError("was not written by gitops, which would write it", file=path, hint="move it away")


def _listed(directory: Path) -> Iterator[Path]:
    return directory.iterdir() if directory.is_dir() else iter(())


def _remove_empty(directory: Path, root: Path) -> None:
    """Remove directories that the last file has left, up to the fleet."""
    with suppress(OSError):
        while directory != root:
            directory.rmdir()
            directory = directory.parent
