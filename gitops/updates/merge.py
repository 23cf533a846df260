"""Taking a proposal without a forge: the base moves forward to it, once it has been checked."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from gitops.fleet.checks import missing_keyrings
from gitops.fleet.load import load
from gitops.git.proposal import point
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.git.transport import told
from gitops.images.locks import missing_or_stale, read_locks
from gitops.render.render import render, stale
from gitops.system.errors import Problem, UserError


@dataclass(frozen=True)
class Merged:
    """What a base has now.

    Args:
        base: the branch that moved.
        branch: the one that proposed it.
        commit: what both point to.
        url: the server it happened on; empty where it was the repository itself.
        moved: False: the base had it already.
    """

    base: str
    branch: str
    commit: str
    url: str
    moved: bool


def merge(repository: Repository, remote: Remote | None, base: str, branch: str) -> Merged:
    """Move a base forward to a branch, which must stand on it and be in order: definitions, locks, rendered.

    On a server the branch is then taken away; a run that died in between is finished by the next one. Without
    a server, the work tree that has the base checked out moves along.

    Args:
        repository: the fleet's.
        remote: the server that has both branches; None: they are the repository's own.
        base: the branch that moves.
        branch: the one it moves to.

    Raises:
        UserError: a branch is missing, the base has something that the branch has not, the branch is not in
            order, somebody moved one of them meanwhile, or uncommitted work is in the way.
    """
    commits = _local(repository, base, branch) if remote is None else remote.fetch(base, branch)
    where = f" on {remote.url}" if remote else ""
    for name in (base, branch):
        if name not in commits:
            raise UserError(f"there is no branch {name}{where}", hint="list them with: git branch --all")
    if base == branch:
        raise UserError(f"{branch} is what it would be merged into")
    before, after = commits[base], commits[branch]
    moved = not repository.contains(before, after)
    if moved and not repository.contains(after, before):
        raise UserError(
            f"{base} has commits{where} that {branch} has not",
            hint="run gitops update again, which builds the branch anew from there",
        )
    if moved:
        _refuse_disorder(repository, after)
        if remote:
            remote.push(base, after, before)
        else:
            _forward(repository, base, before, after)
    if remote and (moved or before == after):  # equal: a run that died before it could take the branch away
        remote.delete(branch, after)
    return Merged(base, branch, after, remote.url if remote else "", moved)


def _local(repository: Repository, *branches: str) -> dict[str, str]:
    found = {branch: repository.find(f"refs/heads/{branch}") for branch in branches}
    return {branch: commit for branch, commit in found.items() if commit is not None}


def _refuse_disorder(repository: Repository, commit: str) -> None:
    """Raise all that is wrong with the fleet as a commit has it."""
    with tempfile.TemporaryDirectory(prefix="gitops-merge-") as directory:
        root = Path(directory, repository.root.name or "fleet")
        repository.export(commit, root)
        fleet = load(root)
        locks = read_locks(fleet)
        if problems := [*missing_keyrings(fleet), *missing_or_stale(fleet, locks)]:
            raise UserError.of(problems)
        if old := stale(root, render(fleet, locks)):
            raise UserError.of(
                [Problem(file=path, message=why, hint="run gitops render") for path, why in old]
            )


def _forward(repository: Repository, base: str, before: str, after: str) -> None:
    place = repository.checked_out(base)
    if place is None:
        point(repository, base, after, before)
        return
    # In that work tree, git moves files and index too, and refuses to lose what is not committed.
    result = Repository(place).git("merge", "--quiet", "--ff-only", after, check=False)
    if result.status != 0:
        raise UserError(f"{place} cannot move forward to {after[:12]}", hint=told(result.stderr, None))
