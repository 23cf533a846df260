"""Forgejo's API, which is Gitea's, below /api/v1; https://codeberg.org/api/swagger."""

from tests.forge.fake.project import PATH, Pull, RefusedError
from tests.forge.fake.routes import Api, Json, Request

API = Api("/api/v1")
_REPO = f"/repos/{PATH}"
_STATUS = {"in_progress": "pending"}
_MOST = 50


def _page(request: Request, items: list[Json]) -> list[Json]:
    return request.page(items, size="limit", most=_MOST)


def _pull(request: Request, pull: Pull) -> Json:
    """Give a pull request; where its branch is gone, `ref` names what Forgejo keeps, `label` stays."""
    there = pull.fork or request.project.tip(pull.branch) is not None
    return {
        "id": 1000 + pull.number,
        "number": pull.number,
        "html_url": f"{request.address}/{PATH}/pulls/{pull.number}",
        "title": pull.title,
        "body": pull.body,
        "state": "open" if pull.state == "open" else "closed",
        "merged": pull.state == "merged",
        "head": {
            "label": pull.branch,
            "ref": pull.branch if there else f"refs/pull/{pull.number}/head",
            "sha": pull.head,
            "repo_id": 2 if pull.fork else 1,
        },
        "base": {"label": pull.base, "ref": pull.base, "sha": "", "repo_id": 1},
    }


@API.route("GET", _REPO)
def _get_repository(_: Request) -> tuple[int, Json]:
    return 200, {"id": 1, "full_name": PATH, "default_merge_style": "merge"}


@API.route("GET", f"{_REPO}/pulls")
def _list(request: Request) -> tuple[int, Json]:
    """List them; there is no filter by branch."""
    state = request.query.get("state", "open")
    found = [
        _pull(request, pull)
        for pull in reversed(request.project.pulls)
        if state in {"all", "open" if pull.state == "open" else "closed"}
    ]
    return 200, _page(request, found)


@API.route("POST", f"{_REPO}/pulls")
def _create(request: Request) -> tuple[int, Json]:
    asked = request.body
    pull = request.project.open(
        branch=asked["head"], base=asked["base"], title=asked["title"], body=asked["body"]
    )
    return 201, _pull(request, pull)


@API.route("GET", rf"{_REPO}/pulls/(\d+)")
def _get(request: Request, number: str) -> tuple[int, Json]:
    return 200, _pull(request, request.project.pull(int(number)))


@API.route("PATCH", rf"{_REPO}/pulls/(\d+)")
def _edit(request: Request, number: str) -> tuple[int, Json]:
    pull = request.project.pull(int(number))
    pull.title = request.body.get("title", pull.title)
    pull.body = request.body.get("body", pull.body)
    pull.state = request.body.get("state", pull.state)
    return 201, _pull(request, pull)


@API.route("POST", rf"{_REPO}/pulls/(\d+)/merge")
def _merge(request: Request, number: str) -> tuple[int, Json]:
    if request.body["Do"] != "merge":
        raise RefusedError(422, "unknown style")
    request.project.merge(int(number), request.body.get("head_commit_id"))
    return 200, None


@API.route("POST", rf"{_REPO}/pulls/(\d+)/requested_reviewers")
def _review(request: Request, number: str) -> tuple[int, Json]:
    request.project.ask_for_review(int(number), request.body["reviewers"])
    return 201, []


@API.route("GET", rf"{_REPO}/issues/(\d+)/comments")
def _comments(request: Request, number: str) -> tuple[int, Json]:
    """Give all comments: this list is not cut into pages."""
    return 200, [{"id": at, "body": text} for at, text in request.project.comments(int(number))]


@API.route("POST", rf"{_REPO}/issues/(\d+)/comments")
def _comment(request: Request, number: str) -> tuple[int, Json]:
    request.project.pull(int(number)).comments.append(request.body["body"])
    return 201, {"id": 1, "body": request.body["body"]}


@API.route("PATCH", rf"{_REPO}/issues/comments/(\d+)")
def _rewrite(request: Request, identity: str) -> tuple[int, Json]:
    request.project.rewrite(int(identity), request.body["body"])
    return 200, {"id": int(identity), "body": request.body["body"]}


@API.route("GET", f"{_REPO}/labels")
def _labels(request: Request) -> tuple[int, Json]:
    return 200, _page(request, [{"id": at, "name": it} for at, it in enumerate(request.project.labels, 1)])


@API.route("POST", f"{_REPO}/labels")
def _make_label(request: Request) -> tuple[int, Json]:
    if not request.body["color"]:
        raise RefusedError(422, "a label needs a colour")
    request.project.labels.append(request.body["name"])
    return 201, {"id": len(request.project.labels), "name": request.body["name"]}


@API.route("POST", rf"{_REPO}/issues/(\d+)/labels")
def _label(request: Request, number: str) -> tuple[int, Json]:
    pull = request.project.pull(int(number))
    names = [request.project.labels[at - 1] for at in request.body["labels"]]
    pull.labels = list(dict.fromkeys([*pull.labels, *names]))
    return 200, []


@API.route("GET", rf"{_REPO}/commits/([0-9a-f]+)/status")
def _status(request: Request, commit: str) -> tuple[int, Json]:
    """Give what was said last of each name; `state` is made of the page that is shown alone."""
    checks = request.project.checks.get(commit, {})
    found = [{"context": name, "status": _STATUS.get(state, state)} for name, state in checks.items()]
    page = _page(request, found)
    return 200, {
        "sha": commit,
        "state": page[0]["status"] if page else "",
        "total_count": len(found),
        "statuses": page or None,
    }
