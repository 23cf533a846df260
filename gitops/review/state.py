"""A fleet at one moment: as the directory has it, or as a commit did."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.identity import identities, references
from gitops.images.locks import Locks, read_locks
from gitops.render.recipe import recipe
from gitops.system.errors import Problem, UserError


@dataclass(frozen=True)
class State:
    """A fleet at one moment.

    Args:
        fleet: its definitions.
        locks: its locks.
        references: what each (image, architecture) is called; another tag means another content.
        recipe: digest of the templates by which images are built.
    """

    fleet: Fleet
    locks: Locks
    references: dict[tuple[str, str], str]
    recipe: str


def read_state(root: Path) -> State:
    """Read a fleet as a directory has it.

    Raises:
        UserError: definitions or locks are wrong.
    """
    fleet = load(root)
    locks, how = read_locks(fleet), recipe(fleet.root)
    return State(fleet, locks, references(fleet, identities(fleet, locks, how)), how)


@contextmanager
def state_at(git: Repository, revision: str) -> Iterator[State]:
    """Read a fleet as a commit has it; its files are there while the block runs.

    Args:
        git: the fleet's directory in its repository.
        revision: the commit, by any name.

    Raises:
        UserError: there is no such commit, or its definitions or locks are wrong.
    """
    commit = git.commit(revision)
    with tempfile.TemporaryDirectory(prefix="gitops-review-") as directory:
        root = Path(directory).resolve()
        git.export(commit, root)
        try:
            found = read_state(root)
        except UserError as error:
            raise UserError.of([_of(revision, problem) for problem in error.problems]) from error
        yield found


def _of(revision: str, problem: Problem) -> Problem:
    """Say of which revision a problem is, as git names its files."""
    if problem.file:
        return problem._replace(file=f"{revision}:{problem.file}")
    return problem._replace(message=f"{revision}: {problem.message}")
