"""What forges answer, in our words; every value is checked on the way, for it comes from outside."""

from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter

from gitops.forge.pull_request import Checks, PullRequest

_PULL = TypeAdapter(PullRequest)


def pull_request(fields: Mapping[str, object]) -> PullRequest:
    """Make a pull request of its fields by name; a body of None is empty, as GitHub and GitLab have it.

    Raises:
        ValueError: one is missing or is not what it should be.
    """
    body = fields["body"]
    # What a person edited in a browser comes back with the line ends of a form.
    body = body.replace("\r\n", "\n") if isinstance(body, str) else body or ""
    return _PULL.validate_python({**fields, "body": body})


def together(checks: Iterable[Checks]) -> Checks:
    """Say what several pipelines say together: one failure counts at once, success when none runs."""
    found = set(checks)
    order: tuple[Checks, ...] = ("failed", "running", "passed")
    return next((state for state in order if state in found), "none")
