"""Who made a file, or lines of it, what they are at a commit, and who brought that in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.git.repository import Repository
from gitops.system.errors import UserError

_FORM = "--format=%H%x00%an <%ae>%x00%cn <%ce>%x00%ct%x00%s"


@dataclass(frozen=True)
class Touch:
    """A commit that made something what it is; texts are as whoever committed wrote them.

    Args:
        commit: its name in full.
        author: `Name <address>` of who wrote the change.
        committer: of who made it a commit of this history.
        time: when that was, UTC.
        subject: the first line of its message.
        merge: the merge by which it came into the branch; None where it was committed there itself.
    """

    commit: str
    author: str
    committer: str
    time: datetime
    subject: str
    merge: "Touch | None" = None


def touch(git: Repository, revision: str, paths: Sequence[str]) -> Touch | None:
    """Give the last commit that changed any of some files or directories, as a revision has them.

    Args:
        git: the fleet's directory in its repository.
        revision: the commit whose history is looked at.
        paths: below the fleet's directory.

    Raises:
        UserError: there is no such revision.
    """
    commit = git.commit(revision)
    names = [f":(top,literal){git.prefix}{path}" for path in paths]
    found = git.git("log", "-1", "--no-show-signature", _FORM, commit, "--", *names).stdout
    return _with_merge(git, commit, _touch(found)) if found else None


def touch_of_lines(git: Repository, revision: str, path: str, first: int, last: int) -> Touch | None:
    """Give the newest commit that any of some lines of a file is from; arguments and errors as for `touch`.

    Args:
        git: as there.
        revision: as there.
        path: as there.
        first: from 1.
        last: the last one that counts.
    """
    commit = git.commit(revision)
    bare = git.git("rev-parse", "--is-bare-repository").stdout.strip() == "true"
    name = f"{git.prefix}{path}" if bare else path
    told = git.git("blame", "--porcelain", "-L", f"{first},{last}", commit, "--", name, check=False)
    commits = set(re.findall(r"(?m)^([0-9a-f]{40,64}) \d+ \d+", told.stdout))
    if told.status or not commits:
        return None
    # In this order children come before their parents, also where both are of the same second.
    found = git.git("log", "-1", "--no-show-signature", "--topo-order", _FORM, *sorted(commits), "--")
    return _with_merge(git, commit, _touch(found.stdout.partition("\n")[0]))


def _with_merge(git: Repository, revision: str, found: Touch) -> Touch:
    """Say by which merge a commit came into the first parents' line of a revision."""
    span = f"{found.commit}..{revision}"
    ways = git.git("rev-list", "--ancestry-path", span, check=False).stdout.split()
    line = git.git("rev-list", "--first-parent", f"{revision}", check=False).stdout.split()
    if found.commit in set(line):
        return found
    between = set(ways)
    merges = [each for each in line if each in between]
    if not merges:
        return found
    merge = _touch(git.git("log", "-1", "--no-show-signature", _FORM, merges[-1], "--").stdout)
    return Touch(found.commit, found.author, found.committer, found.time, found.subject, merge)


def _touch(line: str) -> Touch:
    commit, author, committer, seconds, subject = line.rstrip("\n").split("\0")
    return Touch(commit, author, committer, datetime.fromtimestamp(int(seconds), UTC), subject)


def moment(git: Repository, revision: str) -> Touch:
    """Describe a commit itself.

    Raises:
        UserError: there is no such revision.
    """
    found = git.git("log", "-1", "--no-show-signature", _FORM, git.commit(revision), "--").stdout
    if not found:
        raise UserError(f"{git.root} has no commit {revision!r}")
    return _touch(found)
