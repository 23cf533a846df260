"""Which commit of the fleet a host runs: a copy of its own, so that work in the repository disturbs nothing.

`STATE/generations/COMMIT/` is the copy, `STATE/current` a symbolic link to the one that runs, `STATE/before`
to the one that ran before it, `STATE/host` the name of the host.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.places import Places

if TYPE_CHECKING:
    from gitops.git.repository import Repository

BEFORE = "before"
"""Name of the link to the generation before."""

_SHOWN = 5


@dataclass(frozen=True)
class Generation:
    """A commit of the fleet on a host.

    Args:
        commit: its hexadecimal digits.
        path: the fleet's files as that commit has them.
        host: the host that runs it.
    """

    commit: str
    path: Path
    host: str


def clean_head(git: "Repository") -> str:
    """Give the commit that is checked out.

    Raises:
        UserError: files differ from it, so that what runs could not be told from git.
    """
    dirty = git.dirty()
    if dirty:
        more = f" and {len(dirty) - _SHOWN} more" if len(dirty) > _SHOWN else ""
        raise UserError(
            f"not committed: {', '.join(dirty[:_SHOWN])}{more}",
            hint="a host runs commits: git add . && git commit",
        )
    return git.head()


def check_out(git: "Repository", commit: str, places: Places) -> Generation:
    """Copy a commit to where generations are, without making it the current one; once is enough.

    Args:
        git: the fleet's directory in its repository, which may be one without a work tree.
        commit: which one.
        places: the host's directories.
    """
    path = places.state / "generations" / commit
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-"))
        temporary.chmod(0o755)
        git.export(commit, temporary)
        temporary.rename(path)
    return Generation(commit, path, "")


def make_current(generation: Generation, host: str, places: Places) -> Generation:
    """Make a generation the host's current one in one step; the one before it is kept, older ones go."""
    link = places.state / "current"
    before = running(places)
    write(places.state / "host", f"{host}\n")
    if before != generation.commit:
        if before:
            _point(places.state / BEFORE, Path("generations", before))
        _point(link, generation.path.relative_to(places.state))
        _forget(generation.path.parent, {generation.commit, before})
    return replace(generation, host=host)


def adopt(repository: Path, host: str, places: Places) -> Generation:
    """Make the commit that is checked out this host's generation; raises as `clean_head` does."""
    from gitops.git.repository import Repository  # noqa: PLC0415  # `status` asks git nothing

    git = Repository(repository)
    return make_current(check_out(git, clean_head(git), places), host, places)


def current(places: Places) -> Generation:
    """Give the generation that this host runs.

    Raises:
        UserError: it runs none yet.
    """
    try:
        path = (places.state / "current").resolve(strict=True)
        return Generation(path.name, path, (places.state / "host").read_text().strip())
    except FileNotFoundError as error:
        raise UserError("this host runs no fleet yet", hint="run gitops apply in the fleet first") from error


def running(places: Places) -> str:
    """Give the commit that this host runs; empty where it runs none yet."""
    link = places.state / "current"
    return link.readlink().name if link.is_symlink() else ""


def runs_here(host: str, places: Places) -> bool:
    """Tell whether this machine is a host, and not somebody's desk."""
    path = places.state / "host"
    return path.is_file() and path.read_text().strip() == host


def _point(link: Path, target: Path) -> None:
    """Make a symbolic link, or move it, in one step."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def _forget(generations: Path, kept: set[str]) -> None:
    for path in generations.iterdir():
        if path.name not in kept:
            shutil.rmtree(path)
