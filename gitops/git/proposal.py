"""One commit on a branch of its own, made without the user's checkout, index or work tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from git import Actor, Blob, Repo
from git import Commit as GitCommit
from git.exc import GitCommandError
from git.index import IndexFile
from git.index.typ import BaseIndexEntry, IndexEntry
from gitdb.base import IStream  # type: ignore[import-untyped]  # it ships no types

from gitops.git.repository import Repository
from gitops.system.errors import UserError

AUTHOR = Actor("gitops", "gitops@localhost")
"""Who commits proposals; a commit by anyone else on the branch is a person's own and stays."""

_NOTHING = "0" * 40  # what update-ref takes for "it must not exist yet"


@dataclass(frozen=True)
class Proposal:
    """What became of a proposal.

    Args:
        branch: the branch it is on.
        commit: its commit.
        state: whether the branch is new, was moved to this commit, or had it already.
    """

    branch: str
    commit: str
    state: Literal["new", "moved", "unchanged"]


def propose(
    repository: Repository, branch: str, base: str, changes: Mapping[str, str | None], message: str
) -> Proposal:
    """Put one commit on top of a base and let a branch point to it.

    A branch that carries just this already is left alone, so that asking twice changes nothing. The branch
    moves only if nobody else moved it meanwhile.

    Args:
        repository: where.
        branch: the branch; made where it is missing.
        base: the revision to build on.
        changes: path below the repository's root to its new text, or None to remove it.
        message: the commit's message.

    Raises:
        UserError: the branch carries a person's own commit, is checked out, or git refuses its name.
    """
    base = repository.commit(base)
    tip = repository.find(f"refs/heads/{branch}")
    if tip is not None:
        _refuse_to_lose_work(repository, branch, base)
    if (place := repository.checked_out(branch)) is not None:
        raise UserError(
            f"branch {branch} is checked out in {place}", hint=f"switch away from it: git -C {place} switch -"
        )
    with Repo(repository.directory) as repo:
        commit = _commit(repo, repository.prefix, base, changes, message, tip)
        if commit == tip:
            return Proposal(branch, commit, "unchanged")
        try:
            repo.git.update_ref("-m", "gitops update", f"refs/heads/{branch}", commit, tip or _NOTHING)
        except GitCommandError as error:
            raise UserError(f"branch {branch} cannot be moved: {error.stderr.strip()}") from error
    return Proposal(branch, commit, "moved" if tip else "new")


def _refuse_to_lose_work(repository: Repository, branch: str, base: str) -> None:
    ours = f"{AUTHOR.name} <{AUTHOR.email}>"
    for commit in repository.commits(base, f"refs/heads/{branch}"):
        if commit.committer != ours:
            raise UserError(
                f"branch {branch} carries a commit of {commit.committer!r}:"
                f" {commit.identity[:12]} {commit.subject!r}",
                hint=f"merge the branch, or give it up: git branch -D {branch}",
            )


def _commit(
    repo: Repo, prefix: str, base: str, changes: Mapping[str, str | None], message: str, tip: str | None
) -> str:
    """Store the commit and give its name; the tip's where that has this parent and this tree already."""
    index = IndexFile.new(repo, repo.commit(base).tree)  # in memory: it is never written to the user's index
    for path, text in changes.items():
        _put(repo, index, prefix + path, text)
    tree = index.write_tree()
    if tip is not None:
        old = repo.commit(tip)
        if old.tree.hexsha == tree.hexsha and [parent.hexsha for parent in old.parents] == [base]:
            return tip
    made = GitCommit.create_from_tree(
        repo, tree, message, parent_commits=[repo.commit(base)], author=AUTHOR, committer=AUTHOR
    )
    return made.hexsha


def _put(repo: Repo, index: IndexFile, path: str, text: str | None) -> None:
    old = index.entries.get((path, 0))
    if text is None:
        if old is not None:
            del index.entries[path, 0]
        return
    data = text.encode()
    stored = repo.odb.store(IStream(b"blob", len(data), BytesIO(data)))
    mode = old.mode if old is not None else Blob.file_mode
    index.entries[path, 0] = IndexEntry.from_base(BaseIndexEntry((mode, stored.binsha, 0, path)))
