"""What forges answer, in our words; every value is checked on the way, for it comes from outside."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import TypeAdapter

from gitops.forge.pull_request import Checks, Comment, PullRequest

_PULL, _COMMENT = TypeAdapter(PullRequest), TypeAdapter(Comment)


def pull_request(fields: Mapping[str, object]) -> PullRequest:
    """Make a pull request of its fields by name; a body of None is empty, as GitHub and GitLab have it.

    Raises:
        ValueError: one is missing or is not what it should be.
    """
    return _PULL.validate_python({**fields, "body": _lines(fields["body"])})


def comment(identity: object, text: object) -> Comment:
    """Make a comment; a text of None is empty.

    Raises:
        ValueError: one is not what it should be.
    """
    return _COMMENT.validate_python({"identity": identity, "text": _lines(text)})


def _lines(text: object) -> object:
    """Take off the line ends of a form, with which comes back what a person edited in a browser."""
    return text.replace("\r\n", "\n") if isinstance(text, str) else text or ""


def said(comments: Iterable[Comment], text: str) -> Literal[True] | None:
    """Tell whether a comment is there already, as what asks a forge again wants to know it."""
    return True if any(each.text == text for each in comments) else None


def together(checks: Iterable[Checks]) -> Checks:
    """Say what several pipelines say together: one failure counts at once, success when none runs."""
    found = set(checks)
    order: tuple[Checks, ...] = ("failed", "running", "passed")
    return next((state for state in order if state in found), "none")
