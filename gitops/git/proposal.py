"""One commit on a branch of its own, made without the user's checkout, index or work tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gitops.git.repository import Commit, Repository
from gitops.git.tree import tree
from gitops.system.errors import UserError
from gitops.system.run import CommandError

BOT = "gitops <gitops@localhost>"
"""Who commits proposals where the fleet names nobody."""

_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"  # what git takes off both ends of a name (ident.c)
_SIGNING = 120  # seconds a key's agent has; nobody sits at a cron job to type a passphrase


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


def build(
    repository: Repository,
    base: str,
    changes: Mapping[str, str | None],
    message: str,
    *,
    committer: str,
    reuse: str | None = None,
) -> str:
    """Store one commit on top of a base; no branch points to it yet.

    It is signed where git's own configuration asks for that (`commit.gpgSign`, `gpg.format`,
    `user.signingKey`).

    Args:
        repository: where.
        base: the revision it stands on.
        changes: path below the repository's root to its new text, or None to remove it.
        message: the commit's message.
        committer: its author and committer, as `Name <address>`.
        reuse: a commit that may be this one already, but for its date.

    Returns:
        Its name; that of `reuse` where this has the same parent, tree, message, committer and is signed as it
        should be.

    Raises:
        UserError: it cannot be signed, git refuses the committer, or the repository is one of SHA-256.
    """
    base = repository.commit(base)
    stored = tree(repository, base, changes)
    message = message.rstrip("\n") + "\n"
    signed = repository.git("config", "--type=bool", "--get", "commit.gpgSign", check=False).stdout
    sign = signed.strip() == "true"
    if reuse is not None and _is_so(repository, reuse, (stored, base, committer, message, sign)):
        return reuse
    name, _, address = committer.removesuffix(">").partition(" <")
    people = {f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")}
    people |= {f"GIT_{role}_EMAIL": address for role in ("AUTHOR", "COMMITTER")}
    command = ["-c", "i18n.commitEncoding=UTF-8", "commit-tree", stored, "-p", base]
    try:
        made = repository.git(
            *command, *(["-S"] if sign else []), env=people, stdin=message.encode(), timeout=_SIGNING
        )
    except CommandError as error:
        hint = "\n  ".join(error.stderr.strip().splitlines())
        what = "signed (git's commit.gpgSign asks for that)" if sign else "made"
        raise UserError(f"the commit of {committer} cannot be {what}", hint=hint) from error
    return made.stdout.strip()


def own(repository: Repository, tip: str, base: str, committer: str) -> Commit | None:
    """Give the person's own commit that a branch of proposals carries, or None where nothing can be lost.

    Its tip alone tells: who adds to a branch, amends it or rebases it is the committer of the tip. What is in
    the base already cannot be lost.

    Args:
        repository: where.
        tip: the branch's newest commit.
        base: what it is to be merged into.
        committer: who commits proposals here, as `Name <address>`.
    """
    commit = repository.describe(tip)
    ours = _plain(commit.committer) in {_plain(committer), _plain(BOT)}
    return None if ours or repository.contains(base, tip) else commit


def propose(
    repository: Repository,
    branch: str,
    base: str,
    changes: Mapping[str, str | None],
    message: str,
    committer: str,
) -> Proposal:
    """Put one commit on top of a base and let a local branch point to it.

    A branch that carries just this already is left alone, so that asking twice changes nothing. The branch
    moves only if nobody else moved it meanwhile.

    Args:
        repository: where.
        branch: the branch; made where it is missing.
        base: the revision to build on.
        changes: path below the repository's root to its new text, or None to remove it.
        message: the commit's message.
        committer: who commits it, as `Name <address>`.

    Raises:
        UserError: the branch carries a person's own commit, is checked out, git refuses its name, or the
            commit cannot be signed.
    """
    base = repository.commit(base)
    tip = repository.find(f"refs/heads/{branch}")
    if tip is not None and (theirs := own(repository, tip, base, committer)):
        raise UserError(
            f"branch {branch} carries a commit of {theirs.committer!r}:"
            f" {theirs.identity[:12]} {theirs.subject!r}",
            hint=f"merge the branch, or give it up: git branch -D {branch}",
        )
    if (place := repository.checked_out(branch)) is not None:
        raise UserError(
            f"branch {branch} is checked out in {place}", hint=f"switch away from it: git -C {place} switch -"
        )
    commit = build(repository, base, changes, message, committer=committer, reuse=tip)
    if commit == tip:
        return Proposal(branch, commit, "unchanged")
    point(repository, branch, commit, tip)
    return Proposal(branch, commit, "moved" if tip else "new")


def point(repository: Repository, branch: str, commit: str, before: str | None) -> None:
    """Let a local branch point to a commit.

    Args:
        repository: where.
        branch: the branch.
        commit: where it is to point.
        before: where it must point until now; None: it must not exist.

    Raises:
        UserError: it points elsewhere, or git refuses its name.
    """
    move = ("update-ref", "-m", "gitops update", f"refs/heads/{branch}", commit, before or _nothing(commit))
    result = repository.git(*move, check=False)
    if result.status != 0:
        raise UserError(f"branch {branch} cannot be moved: {result.stderr.strip()}")


def _nothing(commit: str) -> str:
    """Give the name of no object, as long as those of a repository are."""
    return "0" * len(commit)


def _plain(person: str) -> str:
    """Give `Name <address>` as git stores it, by whatever version of git: newer ones keep a final dot."""
    name, _, address = person.partition("<")
    return f"{name.strip(_CRUD)} <{address.strip(_CRUD)}>"


def _is_so(repository: Repository, commit: str, wanted: tuple[str, str, str, str, bool]) -> bool:
    """Compare a commit with a tree, parent, committer, message and signedness."""
    content, base, committer, message, sign = wanted
    header, _, body = repository.git("cat-file", "commit", commit).stdout.partition("\n\n")
    # A field goes on in lines that begin with a space; people's fields end in a time and a time zone.
    fields = [tuple(line.split(" ", 1)) for line in header.split("\n") if not line.startswith(" ")]
    people = {_plain(value.rsplit(" ", 2)[0]) for key, value in fields if key in {"author", "committer"}}
    return (
        [value for key, value in fields if key in {"tree", "parent"}] == [content, base]
        and people == {_plain(committer)}
        and any(key.startswith("gpgsig") for key, _ in fields) == sign
        and body == message
    )
