"""GitHub's API as GitHub Enterprise serves it, below /api/v3; https://docs.github.com/en/rest."""

from tests.forge.fake.project import NAME, OWNER, PATH, Pull, RefusedError
from tests.forge.fake.routes import Api, Json, Request

API = Api("/api/v3")
_REPO = f"/repos/{PATH}"
_ENDED = {"success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale"}


def _repository(request: Request, owner: str = OWNER) -> Json:
    return {
        "id": 1,
        "name": NAME,
        "full_name": f"{owner}/{NAME}",
        "owner": {"login": owner, "id": 1},
        "url": f"{request.address}{API.root}{_REPO}",
        "allow_merge_commit": True,
        "allow_rebase_merge": True,
        "allow_squash_merge": True,
    }


def _pull(request: Request, pull: Pull) -> Json:
    api = f"{request.address}{API.root}{_REPO}"
    owner = "stranger" if pull.fork else OWNER
    return {
        "id": pull.number,
        "number": pull.number,
        "url": f"{api}/pulls/{pull.number}",
        "issue_url": f"{api}/issues/{pull.number}",
        "html_url": f"{request.address}/{PATH}/pull/{pull.number}",
        "title": pull.title,
        "body": pull.body or None,
        "state": "open" if pull.state == "open" else "closed",
        "merged_at": "2025-03-01T04:05:06Z" if pull.state == "merged" else None,
        "head": {
            "ref": pull.branch,
            "label": f"{owner}:{pull.branch}",
            "sha": pull.head,
            "repo": _repository(request, owner),
        },
        "base": {
            "ref": pull.base,
            "label": f"{OWNER}:{pull.base}",
            "sha": pull.head,
            "repo": _repository(request),
        },
    }


@API.route("GET", _REPO)
def _get_repository(request: Request) -> tuple[int, Json]:
    return 200, _repository(request)


@API.route("GET", f"{_REPO}/pulls")
def _list(request: Request) -> tuple[int, Json]:
    state, head, base = (request.query.get(name) for name in ("state", "head", "base"))
    found = [
        pull
        for pull in reversed(request.project.pulls)
        if state in {"all", "open" if pull.state == "open" else "closed"}
        # A fork in the same organisation passes this filter of GitHub's; ours pass every owner, to be sure.
        and head in {None, f"{OWNER}:{pull.branch}"}
        and base in {None, pull.base}
    ]
    return 200, request.page(_pull(request, pull) for pull in found)


@API.route("POST", f"{_REPO}/pulls")
def _create(request: Request) -> tuple[int, Json]:
    asked = request.body
    pull = request.project.open(
        branch=asked["head"].removeprefix(f"{OWNER}:"),
        base=asked["base"],
        title=asked["title"],
        body=asked["body"],
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
    return 200, _pull(request, pull)


@API.route("PUT", rf"{_REPO}/pulls/(\d+)/merge")
def _merge(request: Request, number: str) -> tuple[int, Json]:
    request.project.merge(int(number), request.body.get("sha"))
    return 200, {"merged": True, "sha": "", "message": "Pull Request successfully merged"}


@API.route("POST", rf"{_REPO}/pulls/(\d+)/requested_reviewers")
def _review(request: Request, number: str) -> tuple[int, Json]:
    request.project.ask_for_review(int(number), request.body["reviewers"])
    return 201, _pull(request, request.project.pull(int(number)))


@API.route("GET", rf"{_REPO}/issues/(\d+)/comments")
def _comments(request: Request, number: str) -> tuple[int, Json]:
    comments = request.project.comments(int(number))
    return 200, request.page({"id": at, "body": text} for at, text in comments)


@API.route("POST", rf"{_REPO}/issues/(\d+)/comments")
def _comment(request: Request, number: str) -> tuple[int, Json]:
    request.project.pull(int(number)).comments.append(request.body["body"])
    return 201, {"id": 1, "body": request.body["body"]}


@API.route("GET", rf"{_REPO}/issues/comments/(\d+)")
def _get_comment(request: Request, identity: str) -> tuple[int, Json]:
    path = f"{request.address}{API.root}{_REPO}/issues/comments/{identity}"
    return 200, {"id": int(identity), "url": path, "body": ""}


@API.route("PATCH", rf"{_REPO}/issues/comments/(\d+)")
def _rewrite(request: Request, identity: str) -> tuple[int, Json]:
    request.project.rewrite(int(identity), request.body["body"])
    return 200, {"id": int(identity), "body": request.body["body"]}


@API.route("POST", rf"{_REPO}/issues/(\d+)/labels")
def _label(request: Request, number: str) -> tuple[int, Json]:
    pull = request.project.pull(int(number))
    pull.labels = list(dict.fromkeys([*pull.labels, *request.body["labels"]]))
    return 200, [{"name": label} for label in pull.labels]


@API.route("GET", rf"{_REPO}/commits/([0-9a-f]+)")
def _commit(request: Request, commit: str) -> tuple[int, Json]:
    if commit not in request.project.git("rev-list", "--all").split():
        raise RefusedError(422, f"No commit found for SHA: {commit}")
    return 200, {"sha": commit, "url": f"{request.address}{API.root}{_REPO}/commits/{commit}"}


@API.route("GET", rf"{_REPO}/commits/([0-9a-f]+)/check-runs")
def _check_runs(request: Request, commit: str) -> tuple[int, Json]:
    """Give all but what names begin with `status/`, which is told by the older of the two ways."""
    runs = [
        {
            "id": number,
            "name": name,
            "status": "completed" if state in _ENDED else state,
            "conclusion": state if state in _ENDED else None,
        }
        for number, (name, state) in enumerate(request.project.checks.get(commit, {}).items(), 1)
        if not name.startswith("status/")
    ]
    return 200, {"total_count": len(runs), "check_runs": runs}


@API.route("GET", rf"{_REPO}/commits/([0-9a-f]+)/status")
def _status(request: Request, commit: str) -> tuple[int, Json]:
    checks = request.project.checks.get(commit, {}).items()
    states = [state for name, state in checks if name.startswith("status/")]
    worst = next((state for state in ("failure", "error") if state in states), None)
    calm = "success" if states and set(states) == {"success"} else "pending"
    return 200, {"state": worst or calm, "total_count": len(states), "statuses": [], "sha": commit}
