"""A fleet as a tree has it, put into a private directory for as long as it is judged."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL
from tempfile import mkdtemp

from gitops.git.listing import Listing, listing
from gitops.git.repository import Repository
from gitops.system.errors import Problem, UserError
from gitops.system.run import CommandError, start

Judge = Callable[[Path, Path, str], list[Problem]]
"""What says all that is wrong with a fleet; see `gitops.guard.judge.judge`, which takes long to load."""

OBJECTS = frozenset(
    {"GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"}
)
"""What git tells a hook about where objects are: those of a push that is not taken yet lie apart."""

_MEMORY = Path("/dev/shm")  # noqa: S108  # a directory of its own is made there
_BLOCK = 4096
_PREFIX = "gitops-guard-"
_OLD = 3600  # seconds, many times what judging may take


def examine(repository: Repository, tree: str, path: str, judge: Judge) -> list[Problem]:
    """Say everything that is wrong with a fleet, with files named as the repository does.

    Args:
        repository: where it is; git must be `isolated`.
        tree: the name of the fleet's tree.
        path: its directory in the repository; empty at the top.
        judge: what judges.
    """
    try:
        held = listing(repository, tree)
        with _scratch(held) as scratch:
            root = scratch / "fleet"
            repository.write(tree, root)
            _tame(root, held.links, scratch / "outside")
            return [_named(problem, root, path) for problem in judge(root, repository.directory, path)]
    except CommandError as error:
        return [Problem(path, message="git cannot check this out", hint=error.stderr.strip()[-500:])]
    except UserError as error:
        return [problem._replace(file=path) for problem in error.problems]


def prepare(repository: Repository) -> None:
    """Let git, wherever it runs, find this repository and the objects that a hook was told of.

    Raises:
        UserError: there is no repository.
    """
    os.environ["GIT_DIR"] = str(repository.directory)
    for name in OBJECTS - {"GIT_DIR", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}:
        if name in os.environ:
            os.environ[name] = str(Path(os.environ[name]).absolute())


def _tame(root: Path, links: Iterable[str], nowhere: Path) -> None:
    """Let links that leave the fleet lead nowhere, still outside: nothing there is looked at."""
    real = root.resolve()
    for link in links:
        place = root / link
        if not Path(os.path.realpath(place)).is_relative_to(real):
            with suppress(FileNotFoundError):
                place.unlink()
                place.symlink_to(nowhere)


@contextmanager
def _scratch(held: Listing) -> Iterator[Path]:
    """Give a private directory, in memory where there is plenty of room: files come and go faster there."""
    needed = held.size + held.files * _BLOCK
    fits = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 4 * needed
    directory = Path(mkdtemp(prefix=_PREFIX, dir=_MEMORY if fits else None))
    try:
        yield directory
    finally:
        # Nobody waits for that; in a session of its own it goes on when this program has ended.
        left = [directory, *_left_behind(directory.parent)]
        start(["rm", "-rf", "--", *left], stdout=DEVNULL, stderr=DEVNULL, session=True)


def _left_behind(place: Path) -> Iterator[Path]:
    """Give what one that was killed has left."""
    for directory in place.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            found = directory.stat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > _OLD:
                yield directory


def _named(problem: Problem, root: Path, path: str) -> Problem:
    """Name files as the repository does, and nothing of this machine."""
    file, message, hint = (
        text.replace(f"{root}/", "") for text in (problem.file, problem.message, problem.hint)
    )
    return problem._replace(
        file=f"{path}/{file}" if path and file else file or path, message=message, hint=hint
    )
