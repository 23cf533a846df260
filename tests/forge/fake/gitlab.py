"""GitLab's API, below /api/v4; https://docs.gitlab.com/api/rest/."""

from urllib.parse import quote

from tests.forge.fake.project import PATH, Pull, RefusedError
from tests.forge.fake.routes import Api, Json, Request

API = Api("/api/v4")
_PROJECT = f"/projects/{quote(PATH, safe='')}"
_STATES = {"open": "opened", "closed": "closed", "merged": "merged"}
_PIPELINE = {"in_progress": "running", "failure": "failed"}


def _pull(request: Request, pull: Pull) -> Json:
    return {
        "id": 1000 + pull.number,
        "iid": pull.number,
        "project_id": 1,
        "source_project_id": 2 if pull.fork else 1,
        "target_project_id": 1,
        "source_branch": pull.branch,
        "target_branch": pull.base,
        "sha": pull.head,
        "title": pull.title,
        "description": pull.body or None,
        "state": _STATES[pull.state],
        "web_url": f"{request.address}/{PATH}/-/merge_requests/{pull.number}",
        "reviewers": [
            {"id": request.project.people.index(name), "username": name} for name in pull.reviewers
        ],
        "labels": pull.labels,
    }


@API.route("GET", f"{_PROJECT}/merge_requests")
def _list(request: Request) -> tuple[int, Json]:
    query = request.query
    found = [
        pull
        for pull in reversed(request.project.pulls)
        if query.get("state") in {None, "all", _STATES[pull.state]}
        and query.get("source_branch") in {None, pull.branch}
        and query.get("target_branch") in {None, pull.base}
    ]
    return 200, request.page(_pull(request, pull) for pull in found)


@API.route("POST", f"{_PROJECT}/merge_requests")
def _create(request: Request) -> tuple[int, Json]:
    asked = request.body
    pull = request.project.open(
        branch=asked["source_branch"],
        base=asked["target_branch"],
        title=asked["title"],
        body=asked.get("description", ""),
    )
    return 201, _pull(request, pull)


@API.route("GET", rf"{_PROJECT}/merge_requests/(\d+)")
def _get(request: Request, number: str) -> tuple[int, Json]:
    return 200, _pull(request, request.project.pull(int(number)))


@API.route("PUT", rf"{_PROJECT}/merge_requests/(\d+)")
def _edit(request: Request, number: str) -> tuple[int, Json]:
    pull = request.project.pull(int(number))
    asked = request.body
    pull.title = asked.get("title", pull.title)
    pull.body = asked.get("description", pull.body)
    if asked.get("state_event") == "close":
        pull.state = "closed"
    added = asked.get("add_labels", "")
    names = added if isinstance(added, list) else [name for name in added.split(",") if name]
    pull.labels = list(dict.fromkeys([*pull.labels, *names]))
    if "reviewer_ids" in asked:
        pull.reviewers = [request.project.people[person] for person in asked["reviewer_ids"]]
    return 200, _pull(request, pull)


@API.route("PUT", rf"{_PROJECT}/merge_requests/(\d+)/merge")
def _merge(request: Request, number: str) -> tuple[int, Json]:
    request.project.merge(int(number), request.body.get("sha", request.query.get("sha")))
    return 200, _pull(request, request.project.pull(int(number)))


@API.route("GET", rf"{_PROJECT}/merge_requests/(\d+)/notes")
def _comments(request: Request, number: str) -> tuple[int, Json]:
    """Give the comments, the newest first unless asked otherwise, and a note that GitLab itself made."""
    comments = request.project.comments(int(number))
    notes = [{"id": 0, "body": "requested review from @ada", "system": True, "type": None}]
    notes += [{"id": at, "body": text, "system": False, "type": None} for at, text in comments]
    return 200, request.page(notes if request.query.get("sort") == "asc" else reversed(notes))


@API.route("POST", rf"{_PROJECT}/merge_requests/(\d+)/notes")
def _comment(request: Request, number: str) -> tuple[int, Json]:
    request.project.pull(int(number)).comments.append(request.body["body"])
    return 201, {"id": 1, "body": request.body["body"]}


@API.route("PUT", rf"{_PROJECT}/merge_requests/\d+/notes/(\d+)")
def _rewrite(request: Request, identity: str) -> tuple[int, Json]:
    request.project.rewrite(int(identity), request.body["body"])
    return 200, {"id": int(identity), "body": request.body["body"]}


@API.route("GET", "/users")
def _users(request: Request) -> tuple[int, Json]:
    people = request.project.people
    return 200, [
        {"id": at, "username": name}
        for at, name in enumerate(people)
        if name == request.query.get("username")
    ]


@API.route("GET", f"{_PROJECT}/pipelines")
def _pipelines(request: Request) -> tuple[int, Json]:
    checks = request.project.checks.get(request.query.get("sha", ""), {})
    found = [
        {
            "id": at,
            "iid": at,
            "ref": name,
            "source": "push",
            "status": _PIPELINE.get(state, state),
        }
        for at, (name, state) in enumerate(checks.items(), 1)
    ]
    return 200, request.page(reversed(found))


@API.route("GET", f"{_PROJECT}")
def _get_project(_: Request) -> tuple[int, Json]:
    raise RefusedError(403, "nothing here needs the project itself")
