"""GitLab, through python-gitlab; https://docs.gitlab.com/api/merge_requests/."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal
from weakref import finalize

import requests
from gitlab import Gitlab
from gitlab.exceptions import GitlabError

from gitops.forge.answers import comment as comment_of
from gitops.forge.answers import pull_request, said, together
from gitops.forge.certificates import authorities
from gitops.forge.patience import Asker, Patience, RequestError
from gitops.forge.pull_request import Checks, Comment, Forge, PullRequest
from gitops.system.errors import UserError

_PAGE = 100
_LATER = {"sort": "desc", "order_by": "created_at"}
# `locked`: GitLab is merging it at this moment.
_STATES = {"opened": "open", "locked": "open"}
# https://docs.gitlab.com/api/pipelines/; one that was skipped says nothing, `manual` waits for a person.
_PIPELINES: dict[str, Checks] = {
    "success": "passed",
    "failed": "failed",
    "canceled": "failed",
    "canceling": "failed",
    "skipped": "none",
}


def connect(address: str, project: str, token: str, patience: Patience) -> Forge:
    """Make a forge of GitLab's address, GROUP/NAME and a token."""
    session = requests.Session()
    session.hooks["response"].append(_judge)
    client = Gitlab(
        address,
        # As `Authorization: Bearer`, which GitLab takes for access tokens of every sort.
        oauth_token=token,
        timeout=patience.answer_within,
        user_agent="gitops",
        per_page=_PAGE,
        ssl_verify=authorities(),
        keep_base_url=True,
        session=session,
    )
    errors = (GitlabError, requests.RequestException)
    forge = GitLab(client, project, Asker("GitLab", address, token, patience, errors, _failure))
    finalize(forge, session.close)
    return forge


def _judge(answer: requests.Response, *_: object, **__: object) -> None:
    """Raise for all but success: the library would follow redirections, and wait without bound."""
    if answer.status_code >= requests.codes.multiple_choices:
        raise RequestError(answer.status_code, answer.content, answer.headers)


def _failure(error: Exception) -> RequestError:
    if isinstance(error, GitlabError):
        return RequestError(error.response_code or 0, error.error_message)
    return RequestError(0, str(error))


class GitLab:
    """One project on GitLab."""

    def __init__(self, client: Gitlab, project: str, asker: Asker) -> None:
        """Keep what is needed; nothing is asked yet."""
        self._users = client.users
        self._project = client.projects.get(project, lazy=True)
        self._requests = self._project.mergerequests
        self._ask = asker.ask

    def open_pulls(self) -> list[PullRequest]:
        """Give all that are open, the newest first."""
        return self._ask("list its open merge requests", lambda: list(self._list(state="opened")))

    def last_pull(self, branch: str) -> PullRequest | None:
        """Give the newest one of a branch, whatever its state."""
        return self._ask(
            f"say which merge requests {branch} had",
            lambda: next(iter(self._list(source_branch=branch)), None),
        )

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one; where one of this branch into this base is open already, it is given as it is."""

        def create() -> PullRequest:
            asked = {"source_branch": branch, "target_branch": base, "title": title, "description": body}
            return _read(self._requests.create(asked))

        def made() -> PullRequest | None:
            pulls = self._list(state="opened", source_branch=branch, target_branch=base)
            return self._ask("list its open merge requests", lambda: next(iter(pulls), None))

        return self._ask(f"open a merge request for {branch}", create, made)

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Write title and body anew."""
        self._update(f"change !{number}", number, {"title": title, "description": body})

    def close(self, number: int, *, body: str) -> None:
        """Close one without merging it, and write its body anew, in one request."""
        self._update(f"close !{number}", number, {"state_event": "close", "description": body})

    def comments(self, number: int) -> list[Comment]:
        """Give the comments, the oldest first; not GitLab's own notes, nor those on lines of the diff."""

        def comments() -> list[Comment]:
            notes = self._merge_request(number).notes.list(sort="asc", order_by="created_at", get_all=True)
            ours = (note for note in notes if not note.system and note.type != "DiffNote")
            return [comment_of(note.id, note.body) for note in ours]

        return self._ask(f"show the comments of !{number}", comments)

    def comment(self, number: int, text: str) -> None:
        """Add a comment, in Markdown."""

        def comment() -> Literal[True]:
            self._merge_request(number).notes.create({"body": text})
            return True

        self._ask(f"comment on !{number}", comment, lambda: said(self.comments(number), text))

    def rewrite(self, number: int, comment: int, text: str) -> None:
        """Write a comment anew."""
        notes = self._merge_request(number).notes
        self._ask(f"write a comment on !{number} anew", lambda: notes.update(comment, {"body": text}))

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Add labels; GitLab makes those it does not know."""
        self._update(f"label !{number}", number, {"add_labels": ",".join(labels)})

    def request_review(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, by user name, for a review; nobody is taken off."""

        def people() -> list[int]:
            there = [int(person["id"]) for person in self._requests.get(number).reviewers]
            return list(dict.fromkeys([*there, *map(self._person, reviewers)]))

        wanted = self._ask("look up reviewers", people)
        self._update(f"ask for a review of !{number}", number, {"reviewer_ids": wanted})

    def checks(self, commit: str) -> Checks:
        """Say what the pipelines of a commit say: the newest of each branch or merge request."""

        def checks() -> Checks:
            newest: dict[tuple[str, str], Checks] = {}
            for pipeline in self._project.pipelines.list(
                sha=commit, order_by="id", sort="desc", get_all=True
            ):
                state = _PIPELINES.get(pipeline.status, "running")
                newest.setdefault((pipeline.ref, pipeline.source), state)
            return together(newest.values())

        return self._ask(f"say what the pipelines say of {commit[:12]}", checks)

    def merge(self, number: int, commit: str) -> None:
        """Merge one, if its head still is this commit, in the way the project is set to."""

        def merge() -> bool:
            return bool(self._merge_request(number).merge(sha=commit))

        def merged() -> bool | None:
            pull = self._ask(f"show !{number}", lambda: _read(self._requests.get(number)))
            return pull.state == "merged" or None

        self._ask(f"merge !{number}", merge, merged)

    def _update(self, what: str, number: int, values: dict[str, Any]) -> None:
        self._ask(what, lambda: self._requests.update(number, values))

    def _merge_request(self, number: int) -> Any:  # noqa: ANN401 (the library's objects have no types within)
        return self._requests.get(number, lazy=True)

    def _person(self, name: str) -> int:
        for person in self._users.list(username=name, get_all=False):
            return int(person.id)
        raise UserError(f"GitLab knows no {name}, who is to review", hint="look at updates.reviewers")

    def _list(self, **filters: str) -> Iterable[PullRequest]:
        """Give our own ones, the newest first; pages are fetched as they are needed."""
        for request in self._requests.list(**_LATER, **filters, iterator=True):
            if request.source_project_id == request.target_project_id:
                yield _read(request)


def _read(request: Any) -> PullRequest:  # noqa: ANN401 (the library's objects have no types within)
    return pull_request(
        {
            "number": request.iid,
            "branch": request.source_branch,
            "base": request.target_branch,
            "head": request.sha,
            "title": request.title,
            "body": request.description,
            "state": _STATES.get(request.state, request.state),
            "url": request.web_url,
        }
    )
