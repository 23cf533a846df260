"""GitHub and GitHub Enterprise, through PyGithub; https://docs.github.com/en/rest/pulls/pulls."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal
from weakref import finalize

import requests
from github import Auth, Github
from github.CheckRun import CheckRun
from github.GithubException import GithubException
from github.PullRequest import PullRequest as Pull
from github.Repository import Repository

from gitops.forge.answers import comment as comment_of
from gitops.forge.answers import pull_request, said, together
from gitops.forge.certificates import authorities
from gitops.forge.patience import Asker, Patience, RequestError
from gitops.forge.pull_request import Checks, Comment, Forge, PullRequest

_PAGE = 100
# https://docs.github.com/en/rest/commits/statuses: the combined state, which is pending where there is none.
_STATUS: dict[str, Checks] = {"success": "passed", "pending": "running"}


def connect(address: str, project: str, token: str, patience: Patience) -> Forge:
    """Make a forge of the address of GitHub's pages, OWNER/NAME and a token."""
    api = "https://api.github.com" if address == "https://github.com" else f"{address}/api/v3"
    client = Github(
        base_url=api,
        auth=Auth.Token(token),
        timeout=patience.answer_within,
        user_agent="gitops",
        per_page=_PAGE,
        verify=authorities(),
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=patience.between_writes,
    )
    errors = (GithubException, requests.RequestException)
    forge = GitHub(client, project, Asker("GitHub", address, token, patience, errors, _failure))
    finalize(forge, client.close)
    return forge


def _failure(error: Exception) -> RequestError:
    if isinstance(error, GithubException):
        return RequestError(error.status, error.data or error.message, error.headers)
    return RequestError(0, str(error))


class GitHub:
    """One repository on GitHub."""

    def __init__(self, client: Github, project: str, asker: Asker) -> None:
        """Keep what is needed; nothing is asked yet."""
        self._client = client
        self._project = project
        self._ask = asker.ask
        # PyGithub changes a pull request through its object, and would fetch one for that each time.
        self._seen: dict[int, Pull] = {}

    def open_pulls(self) -> list[PullRequest]:
        """Give all that are open, the newest first."""
        return self._ask("list its open pull requests", lambda: list(self._list("open")))

    def last_pull(self, branch: str) -> PullRequest | None:
        """Give the newest one of a branch, whatever its state."""
        return self._ask(
            f"say which pull requests {branch} had", lambda: next(iter(self._list("all", branch)), None)
        )

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one; where one of this branch into this base is open already, it is given as it is."""

        def create() -> PullRequest:
            made = self._repository.create_pull(base=base, head=branch, title=title, body=body)
            return self._read(made)

        def made() -> PullRequest | None:
            pulls = self._ask("list its open pull requests", lambda: list(self._list("open", branch)))
            return next((pull for pull in pulls if pull.base == base), None)

        return self._ask(f"open a pull request for {branch}", create, made)

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Write title and body anew."""
        self._ask(f"change #{number}", lambda: self._pull(number).edit(title=title, body=body))

    def close(self, number: int, *, body: str) -> None:
        """Close one without merging it, and write its body anew, in one request."""
        self._ask(f"close #{number}", lambda: self._pull(number).edit(state="closed", body=body))

    def comments(self, number: int) -> list[Comment]:
        """Give the comments, the oldest first; not those on lines of the diff."""
        return self._ask(
            f"show the comments of #{number}",
            lambda: [comment_of(each.id, each.body) for each in self._pull(number).get_issue_comments()],
        )

    def comment(self, number: int, text: str) -> None:
        """Add a comment, in Markdown."""

        def comment() -> Literal[True]:
            self._pull(number).create_issue_comment(text)
            return True

        self._ask(f"comment on #{number}", comment, lambda: said(self.comments(number), text))

    def rewrite(self, number: int, comment: int, text: str) -> None:
        """Write a comment anew."""
        self._ask(
            f"write a comment on #{number} anew",
            lambda: self._pull(number).get_issue_comment(comment).edit(text),
        )

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Add labels; GitHub makes those it does not know."""

        def label() -> None:
            # PyGithub's own add_to_labels sends a bare list, which GitHub's description does not have.
            pull = self._pull(number)
            asked = {"labels": list(labels)}
            pull.requester.requestJsonAndCheck("POST", f"{pull.issue_url}/labels", input=asked)

        self._ask(f"label #{number}", label)

    def request_review(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, by user name, for a review; nobody is taken off."""
        self._ask(
            f"ask for a review of #{number}",
            lambda: self._pull(number).create_review_request(reviewers=list(reviewers)),
        )

    def checks(self, commit: str) -> Checks:
        """Say what the check runs of a commit say, and the older commit statuses."""

        def checks() -> Checks:
            found = self._repository.get_commit(commit)
            status = found.get_combined_status()
            older: list[Checks] = [_STATUS.get(status.state, "failed")] if status.total_count else []
            return together([*map(_check, found.get_check_runs()), *older])

        return self._ask(f"say what the pipelines say of {commit[:12]}", checks)

    def merge(self, number: int, commit: str) -> None:
        """Merge one, if its head still is this commit: by a merge commit, if the project allows that."""

        def merge() -> bool:
            return self._pull(number).merge(sha=commit, merge_method=self._method).merged

        def merged() -> bool | None:
            pull = self._ask(f"show #{number}", lambda: self._repository.get_pull(number))
            return self._read(pull).state == "merged" or None

        self._ask(f"merge #{number}", merge, merged)

    @cached_property
    def _repository(self) -> Repository:
        return self._client.get_repo(self._project)

    @property
    def _method(self) -> str:
        repository = self._repository
        if repository.allow_merge_commit is False:
            return "squash" if repository.allow_rebase_merge is False else "rebase"
        return "merge"

    def _pull(self, number: int) -> Pull:
        if number not in self._seen:
            self._seen[number] = self._repository.get_pull(number)
        return self._seen[number]

    def _list(self, state: str, branch: str = "") -> Iterable[PullRequest]:
        """Give our own ones, the newest first; pages are fetched as they are needed."""
        repository, sorting = self._repository, {"state": state, "sort": "created", "direction": "desc"}
        # GitHub filters by the owner of the branch, and one owner may have a fork of its own.
        of_branch = {"head": f"{repository.owner.login}:{branch}"} if branch else {}
        for pull in repository.get_pulls(**sorting, **of_branch):
            if pull.head.repo and pull.head.repo.full_name == pull.base.repo.full_name:
                yield self._read(pull)

    def _read(self, pull: Pull) -> PullRequest:
        self._seen[pull.number] = pull
        return pull_request(
            {
                "number": pull.number,
                "branch": pull.head.ref,
                "base": pull.base.ref,
                "head": pull.head.sha,
                "title": pull.title,
                "body": pull.body,
                "state": "merged" if pull.merged_at else pull.state,
                "url": pull.html_url,
            }
        )


def _check(run: CheckRun) -> Checks:
    """Read a run: https://docs.github.com/en/rest/checks/runs."""
    if run.status != "completed":
        return "running"
    return "passed" if run.conclusion in {"success", "neutral", "skipped"} else "failed"
