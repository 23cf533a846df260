"""The words between deciding and doing: what is wanted, what was seen, and the steps between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gitops.forge.pull_request import Checks, PullRequest
from gitops.git.repository import Commit


@dataclass(frozen=True)
class Wanted:
    """An update as it is to be proposed.

    Args:
        branch: the branch it goes to.
        commit: what the branch is to point to.
        title: of its pull request.
        body: of its pull request, without a marker.
        contents: digests of all that it brings.
        waits: whether it keeps to the schedule.
        merges: whether it is merged without a person.
    """

    branch: str
    commit: str
    title: str
    body: str
    contents: frozenset[str]
    waits: bool = True
    merges: bool = False


@dataclass(frozen=True)
class Seen:
    """How the remote and its forge stand, as far as it is the bot's.

    Args:
        base: the branch that is updated.
        commit: its commit.
        locked: digests of all packages that are locked there.
        tips: the bot's branches, and their commits.
        people: of these, the ones whose commit a person made.
        open: open pull requests of the bot's branches.
        last: newest pull request of wanted branches, where none is open.
        told: a person's commits that a comment speaks of already.
        checks: what the pipelines say of a branch that may be merged.
        forge: whether there is one; without, branches are all there is.
    """

    base: str
    commit: str
    locked: frozenset[str] = frozenset()
    tips: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, Commit] = field(default_factory=dict)
    open: Sequence[PullRequest] = ()
    last: Mapping[str, PullRequest] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    checks: Mapping[str, Checks] = field(default_factory=dict)
    forge: bool = True

    def pull(self, branch: str) -> PullRequest | None:
        """Give the open pull request of a branch into the base."""
        found = (pull for pull in self.open if (pull.branch, pull.base) == (branch, self.base))
        return next(found, None)


@dataclass(frozen=True)
class Push:
    """Move the branch, if it still is where it was seen."""

    commit: str
    expected: str | None


@dataclass(frozen=True)
class Open:
    """Open a pull request; the steps after it are about this one."""

    title: str
    body: str


@dataclass(frozen=True)
class Label:
    """Put labels on it."""

    labels: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """Ask people to review it."""

    reviewers: tuple[str, ...]


@dataclass(frozen=True)
class Write:
    """Write its title and body anew."""

    title: str
    body: str


@dataclass(frozen=True)
class Say:
    """Comment on it."""

    text: str


@dataclass(frozen=True)
class Close:
    """Close it."""

    body: str


@dataclass(frozen=True)
class Merge:
    """Merge it, if it still is at this commit."""

    commit: str


@dataclass(frozen=True)
class Delete:
    """Remove the branch, if it still is where it was seen."""

    expected: str


Step = Push | Open | Label | Review | Write | Say | Close | Merge | Delete
State = Literal[
    "committed",
    "opened",
    "refreshed",
    "pushed",
    "merged",
    "closed",
    "deleted",
    "unchanged",
    "waits",
    "declined",
    "left alone",
    "failed",
]


@dataclass(frozen=True)
class Plan:
    """What is to be done about one branch.

    Args:
        branch: the branch.
        state: how it stands once the steps are done.
        why: what a person should know of it; empty where the state says it all.
        pull: the pull request that the steps are about, until one of them opens another.
        steps: in this order.
    """

    branch: str
    state: State
    why: str = ""
    pull: PullRequest | None = None
    steps: tuple[Step, ...] = ()
