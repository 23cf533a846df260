"""Requests to GitHub keep to the description that GitHub publishes: Prism looks at each of them.

Prism answers a request that its description does not allow with 422, and a path it does not have with 404.
"""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from gitops.system.run import start
from tests.forge.conftest import begin
from tests.forge.fake.server import Asked, FakeForge

MODULES = Path(__file__).parents[2] / ".make/node/node_modules"
DESCRIPTION = MODULES / "@octokit/openapi/generated/api.github.com.json"

BAD = (
    Asked("POST", "/repos/team/fleet/pulls", "", {"head": "a", "title": "t"}),
    Asked("GET", "/repos/team/fleet/pulls", "state=opened", {}),
    Asked("PATCH", "/repos/team/fleet/pulls/1", "", {"state": "gone"}),
    Asked("POST", "/repos/team/fleet/issues/1/labels", "", ["debian"]),
    Asked("PUT", "/repos/team/fleet/pulls/1/merge", "", {"merge_method": "fast-forward"}),
    Asked("GET", "/repos/team/fleet/pull", "", {}),
)
"""What GitHub does not have: in this order a missing base, two states, bare labels, a method, a path."""


@pytest.fixture
def prism() -> Iterator[httpx.Client]:
    """Run Prism on a free port, and give a client of it."""
    process = start([MODULES / ".bin/prism", "mock", "--host", "127.0.0.1", "--port", "0", DESCRIPTION])
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said = iter(process.stdout.readline, b"")
        address = next(filter(None, (re.search(rb"listening on (http://\S+)", line) for line in said)))[1]
        with httpx.Client(base_url=address.decode(), timeout=30) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def judge(prism: httpx.Client, asked: Asked) -> int:
    """Give the status with which Prism answers a request."""
    headers = {"Content-Type": "application/json"}
    url = f"{asked.path}?{asked.query}" if asked.query else asked.path
    content = json.dumps(asked.body) if asked.body else None
    return prism.request(asked.method, url, content=content, headers=headers).status_code


def test_every_request_keeps_to_githubs_description_and_one_that_does_not_is_found(
    prism: httpx.Client, forge_server: Callable[[str], FakeForge], tmp_path: Path
) -> None:
    # One test: Prism takes seconds to start, and tests of one file may run in two processes.
    assert [judge(prism, asked) for asked in BAD] == [422, 422, 422, 422, 422, 404]
    scene = begin(forge_server("github"), tmp_path / "work")
    made = scene.open()
    forge = scene.server.connect()
    forge.open_pulls()
    forge.last_pull(made.branch)
    forge.create(branch=made.branch, base="main", title="Again", body="")
    forge.edit(made.number, title="Newer", body="Newer")
    forge.comment(made.number, "A word")
    (comment,) = forge.comments(made.number)
    forge.rewrite(made.number, comment.identity, "Another word")
    forge.label(made.number, ["debian"])
    forge.request_review(made.number, ["ada"])
    forge.checks(made.head)
    forge.merge(made.number, made.head)
    second = scene.open("gitops/updates-second")
    forge.close(second.number, body="Landed otherwise")
    assert [str(asked) for asked in scene.server.asked if judge(prism, asked) >= 300] == []
    assert {asked.method for asked in scene.server.asked} == {"GET", "POST", "PATCH", "PUT"}
