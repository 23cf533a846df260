"""Forgejo and Gitea, over httpx; https://codeberg.org/api/swagger, https://docs.gitea.com/api."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from weakref import finalize

import httpx

from gitops.forge.answers import comment as comment_of
from gitops.forge.answers import pull_request, said, together
from gitops.forge.patience import Asker, Patience, RequestError
from gitops.forge.pull_request import Checks, Comment, Forge, PullRequest

_PAGE = 50
_COLOUR = "#a80030"
# A commit status; `warning` is less than success, and what is not known is waited for.
_STATUS: dict[str, Checks] = {
    "success": "passed",
    "skipped": "passed",
    "failure": "failed",
    "error": "failed",
    "warning": "failed",
}


def connect(address: str, project: str, token: str, patience: Patience) -> Forge:
    """Make a forge of its address, OWNER/NAME and a token."""
    client = httpx.Client(
        base_url=f"{address}/api/v1",
        headers={"Authorization": f"token {token}", "User-Agent": "gitops"},
        verify=ssl.create_default_context(),
        timeout=patience.answer_within,
        follow_redirects=False,
    )
    forge = Forgejo(client, project, Asker("Forgejo", address, token, patience, (httpx.HTTPError,), _failure))
    finalize(forge, client.close)
    return forge


def _failure(error: Exception) -> RequestError:
    return RequestError(0, str(error) or type(error).__name__)


class Forgejo:
    """One repository on Forgejo or Gitea."""

    def __init__(self, client: httpx.Client, project: str, asker: Asker) -> None:
        """Keep what is needed; nothing is asked yet."""
        self._client = client
        self._repository = f"/repos/{project}"
        self._ask = asker.ask

    def open_pulls(self) -> list[PullRequest]:
        """Give all that are open, the newest first."""
        return self._ask("list its open pull requests", lambda: list(self._list("open")))

    def last_pull(self, branch: str) -> PullRequest | None:
        """Give the newest one of a branch, whatever its state.

        There is no filter by branch, so pages are read until one is found; for a new branch, all.
        """
        return self._ask(
            f"say which pull requests {branch} had",
            lambda: next((pull for pull in self._list("all") if pull.branch == branch), None),
        )

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one; where one of this branch into this base is open already, it is given as it is."""
        asked = {"head": branch, "base": base, "title": title, "body": body}

        def made() -> PullRequest | None:
            pulls = self.open_pulls()
            return next((pull for pull in pulls if (pull.branch, pull.base) == (branch, base)), None)

        return self._ask(
            f"open a pull request for {branch}", lambda: _read(self._send("POST", "/pulls", asked)), made
        )

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Write title and body anew."""
        values = {"title": title, "body": body}
        self._ask(f"change #{number}", lambda: self._send("PATCH", f"/pulls/{number}", values))

    def close(self, number: int, *, body: str) -> None:
        """Close one without merging it, and write its body anew, in one request."""
        values = {"state": "closed", "body": body}
        self._ask(f"close #{number}", lambda: self._send("PATCH", f"/pulls/{number}", values))

    def comments(self, number: int) -> list[Comment]:
        """Give the comments, the oldest first; not those on lines of the diff."""
        return self._ask(
            f"show the comments of #{number}",
            lambda: [
                comment_of(comment["id"], comment["body"])
                for comment in self._send("GET", f"/issues/{number}/comments")
            ],
        )

    def comment(self, number: int, text: str) -> None:
        """Add a comment, in Markdown."""

        def comment() -> Literal[True]:
            self._send("POST", f"/issues/{number}/comments", {"body": text})
            return True

        self._ask(f"comment on #{number}", comment, lambda: said(self.comments(number), text))

    def rewrite(self, number: int, comment: int, text: str) -> None:
        """Write a comment anew."""
        path, values = f"/issues/comments/{comment}", {"body": text}
        self._ask(f"write a comment on #{number} anew", lambda: self._send("PATCH", path, values))

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Add labels; those that the project does not know yet are made."""
        known = self._ask("list its labels", self._labels)
        identities = [known.get(name) or self._make_label(name) for name in labels]
        path, values = f"/issues/{number}/labels", {"labels": identities}
        self._ask(f"label #{number}", lambda: self._send("POST", path, values))

    def request_review(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people, by user name, for a review; nobody is taken off."""
        path, values = f"/pulls/{number}/requested_reviewers", {"reviewers": list(reviewers)}
        self._ask(f"ask for a review of #{number}", lambda: self._send("POST", path, values))

    def checks(self, commit: str) -> Checks:
        """Say what the statuses of a commit say; the combined one covers one page alone, so all are read."""

        def checks() -> Checks:
            found: list[str] = []
            for page in range(1, 100):
                query = {"page": page, "limit": _PAGE}
                answer = self._send("GET", f"/commits/{commit}/status", query=query)
                found += [status["status"] for status in answer["statuses"] or ()]
                if not answer["statuses"] or len(found) >= answer["total_count"]:
                    break
            return together(_STATUS.get(status, "running") for status in found)

        return self._ask(f"say what the pipelines say of {commit[:12]}", checks)

    def merge(self, number: int, commit: str) -> None:
        """Merge one, if its head still is this commit, in the way the project is set to."""

        def merge() -> Literal[True]:
            style = self._send("GET", "").get("default_merge_style") or "merge"
            self._send("POST", f"/pulls/{number}/merge", {"Do": style, "head_commit_id": commit})
            return True

        def merged() -> Literal[True] | None:
            pull = self._ask(f"show #{number}", lambda: _read(self._send("GET", f"/pulls/{number}")))
            return True if pull.state == "merged" else None

        self._ask(f"merge #{number}", merge, merged)

    def _labels(self) -> dict[str, int]:
        return {str(label["name"]): int(label["id"]) for label in self._pages("/labels")}

    def _make_label(self, name: str) -> int:
        values = {"name": name, "color": _COLOUR}
        return self._ask(
            f"make the label {name}",
            lambda: int(self._send("POST", "/labels", values)["id"]),
            lambda: self._labels().get(name),
        )

    def _list(self, state: str) -> Iterator[PullRequest]:
        """Give our own ones, the newest first; pages are fetched as they are needed."""
        for pull in self._pages("/pulls", state=state):
            if pull["head"]["repo_id"] == pull["base"]["repo_id"]:
                yield _read(pull)

    def _pages(self, path: str, **query: str) -> Iterator[Any]:
        page, more = 1, True
        while more:
            answer = self._answer("GET", path, None, {**query, "page": page, "limit": _PAGE})
            yield from answer.json()
            page, more = page + 1, "next" in answer.links

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Any:  # noqa: ANN401 (JSON, looked at by who asked)
        answer = self._answer(method, path, body, query)
        return answer.json() if answer.content else None

    def _answer(
        self, method: str, path: str, body: dict[str, Any] | None, query: Mapping[str, str | int] | None
    ) -> httpx.Response:
        answer = self._client.request(method, self._repository + path, json=body, params=query)
        if not answer.is_success:
            raise RequestError(answer.status_code, answer.content, answer.headers)
        return answer


def _read(pull: dict[str, Any]) -> PullRequest:
    """Read a pull request; when its branch is gone, `ref` no longer is its name, `label` still is."""
    return pull_request(
        {
            "number": pull["number"],
            "branch": pull["head"]["label"],
            "base": pull["base"]["ref"],
            "head": pull["head"]["sha"],
            "title": pull["title"],
            "body": pull["body"],
            "state": "merged" if pull["merged"] else pull["state"],
            "url": pull["html_url"],
        }
    )
