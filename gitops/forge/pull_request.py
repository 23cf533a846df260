"""A pull request, and what every forge can do with one; the words are GitHub's (GitLab: merge request)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["open", "closed", "merged"]
"""`closed`: without being merged."""

Checks = Literal["none", "running", "failed", "passed"]
"""What a commit's pipelines say, all together; `none`: none has been told about it."""


@dataclass(frozen=True)
class PullRequest:
    """One pull request, as the forge told it.

    Args:
        number: what people call it by; unique in the project.
        branch: the branch that is offered, in the same project.
        base: the branch that it is to go into.
        head: commit at the tip of the branch, or, of one that is not open, the last one it had.
        title: one line.
        body: Markdown, as it was written; lines end in a line feed alone.
        state: how it stands.
        url: its page, for a person.
    """

    number: int
    branch: str
    base: str
    head: str
    title: str
    body: str
    state: State
    url: str


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request, in Markdown; lines end in a line feed alone."""

    identity: int
    text: str


class Forge(Protocol):
    """One project on one forge.

    Only pull requests whose branch is in the project itself are seen: anyone may open one from a fork, with
    any name of branch. Everything is tried again, within bounds, when the forge is busy or does not answer;
    nothing is made twice by that.

    Every function raises UserError when the forge refuses, cannot be reached, or answers what it should not.
    """

    def open_pulls(self) -> list[PullRequest]:
        """Give all that are open, the newest first."""

    def last_pull(self, branch: str) -> PullRequest | None:
        """Give the newest one of a branch, whatever its state."""

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one; where one of this branch into this base is open already, it is given as it is."""

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Write title and body anew."""

    def close(self, number: int, *, body: str) -> None:
        """Close one without merging it, and write its body anew, in one request."""

    def comments(self, number: int) -> list[Comment]:
        """Give the comments, the oldest first; not those on lines of the diff."""

    def comment(self, number: int, text: str) -> None:
        """Add a comment, in Markdown."""

    def rewrite(self, number: int, comment: int, text: str) -> None:
        """Write a comment anew."""

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Add labels; those that the project does not know yet are made."""

    def request_review(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, by user name, for a review; nobody is taken off."""

    def checks(self, commit: str) -> Checks:
        """Say what the pipelines of a commit say."""

    def merge(self, number: int, commit: str) -> None:
        """Merge one, if its head still is this commit."""
