"""Forges fail: what is tried again, what is not done twice, and what a person is told."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.system.errors import UserError
from tests.forge.conftest import BRANCH, KINDS, Scene, begin
from tests.forge.fake.server import QUICK, TOKEN, FakeForge, Fault


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_forge_that_is_ill_for_a_moment_is_asked_again(scene: Scene, status: int) -> None:
    made = scene.open()
    scene.server.fail(Fault(times=3, status=status))
    assert scene.forge.open_pulls() == [made]


def test_a_connection_that_breaks_is_made_again(scene: Scene) -> None:
    made = scene.open()
    scene.server.fail(Fault(times=3))
    scene.forge.edit(made.number, title="Newer", body="")
    assert scene.server.pulls[0].title == "Newer"


def test_a_forge_that_stays_ill_is_given_up_on(scene: Scene) -> None:
    made = scene.open()
    before = len(scene.server.requests)
    scene.server.fail(Fault(times=99, status=503, message="down for maintenance"))
    with pytest.raises(UserError, match=r"does not close .1: status 503: down for maintenance"):
        scene.forge.close(made.number, body="")
    assert len(scene.server.requests) == before + QUICK.attempts


def test_retry_after_is_kept_to(scene: Scene) -> None:
    made = scene.open()
    scene.server.fail(Fault(status=429, headers={"Retry-After": "0"}))
    assert scene.forge.last_pull(BRANCH) == made


def test_a_forge_that_wants_to_be_left_alone_for_long_is_not_waited_for(scene: Scene) -> None:
    scene.open()
    before = len(scene.server.requests)
    scene.server.fail(Fault(times=99, status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(UserError, match="run it again in 3600 s"):
        scene.forge.open_pulls()
    assert len(scene.server.requests) == before + 1


def test_githubs_secondary_rate_limit_is_waited_out(
    forge_server: Callable[[str], FakeForge], tmp_path: Path
) -> None:
    scene = begin(forge_server("github"), tmp_path / "work")
    made = scene.open()
    scene.server.fail(
        Fault(times=2, status=403, message="You have exceeded a secondary rate limit. Wait a few minutes.")
    )
    assert scene.forge.open_pulls() == [made]


def test_what_is_forbidden_is_not_tried_again(scene: Scene) -> None:
    made = scene.open()
    before = len(scene.server.requests)
    scene.server.fail(Fault(times=99, status=403, message="Resource not accessible"))
    with pytest.raises(UserError, match="403: Resource not accessible"):
        scene.forge.edit(made.number, title="Newer", body="")
    assert len(scene.server.requests) == before + 1


@pytest.mark.parametrize("status", [0, 502, 504])
def test_an_answer_that_is_lost_opens_no_second_pull_request(scene: Scene, status: int) -> None:
    scene.push()
    scene.server.fail(Fault(status=status, method="POST", done=True))
    made = scene.forge.create(branch=BRANCH, base="main", title="Update", body="")
    assert [pull.number for pull in scene.server.pulls] == [made.number]


@pytest.mark.parametrize("status", [0, 502])
def test_an_answer_that_is_lost_makes_no_second_comment(scene: Scene, status: int) -> None:
    made = scene.open()
    scene.server.fail(Fault(status=status, method="POST", done=True))
    scene.forge.comment(made.number, "Somebody else was here")
    assert [each.text for each in scene.forge.comments(made.number)] == ["Somebody else was here"]


def test_a_merge_whose_answer_is_lost_is_a_merge(scene: Scene) -> None:
    made = scene.open()
    scene.server.fail(Fault(method="POST" if scene.server.kind == "forgejo" else "PUT", done=True))
    scene.forge.merge(made.number, made.head)
    assert scene.forge.last_pull(BRANCH) == replace(made, state="merged")


def test_what_was_pushed_to_since_is_not_merged(scene: Scene) -> None:
    made = scene.open()
    scene.push(text="by a person\n")
    with pytest.raises(UserError, match=r"does not merge .1: status 409"):
        scene.forge.merge(made.number, made.head)
    assert scene.server.pulls[0].state == "open"


def test_a_reviewer_that_the_forge_does_not_know_is_named(scene: Scene) -> None:
    made = scene.open()
    with pytest.raises(UserError, match="nobody"):
        scene.forge.request_review(made.number, ["nobody"])


def test_a_branch_without_news_is_refused_in_the_forges_words(scene: Scene) -> None:
    with pytest.raises(UserError, match="status 422: gitops/updates does not exist"):
        scene.forge.create(branch=BRANCH, base="main", title="Update", body="")


def test_a_wrong_token_is_told_and_not_shown(scene: Scene) -> None:
    wrong = "wrong-word"
    forge = scene.server.connect(token=wrong)
    with pytest.raises(UserError, match="status 401: Bad credentials") as caught:
        forge.open_pulls()
    assert wrong not in str(caught.value)


def test_a_message_shows_neither_the_token_nor_control_characters(scene: Scene) -> None:
    made = scene.open()
    said = f"you sent {TOKEN}\x1b[31m\u202eevil\nsecond line" + "x" * 1000
    scene.server.fail(Fault(times=99, status=400, message=said))
    with pytest.raises(UserError) as caught:
        scene.forge.edit(made.number, title="", body="")
    message = caught.value.problems[0].message
    assert "you sent *** [31m evil second line" in message
    assert len(message) < 500


def test_a_redirection_takes_the_token_nowhere(
    scene: Scene, forge_server: Callable[[str], FakeForge]
) -> None:
    other = forge_server(scene.server.kind)
    there = f"http://localhost:{other.port}/elsewhere"
    for status in (301, 302, 307, 308):
        scene.server.faults.clear()
        scene.server.fail(Fault(times=99, status=status, headers={"Location": there}))
        with pytest.raises(UserError):
            scene.server.connect().open_pulls()
    assert other.requests == []


def test_an_answer_of_something_else_is_told_as_such(scene: Scene) -> None:
    scene.server.fail(Fault(times=99, status=200, message="Welcome to this page"))
    with pytest.raises(UserError, match="cannot be read"):
        scene.forge.open_pulls()


@pytest.mark.parametrize("kind", KINDS)
def test_a_forge_that_never_answers_is_given_up_on(
    kind: str, forge_server: Callable[[str], FakeForge]
) -> None:
    server = forge_server(kind)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server.port = silent.getsockname()[1]
        forge = server.connect(patience=replace(QUICK, attempts=2, answer_within=1))
        with pytest.raises(UserError, match="no answer"):
            forge.open_pulls()


@pytest.mark.parametrize("kind", KINDS)
def test_a_forge_that_is_not_there_is_told(kind: str, forge_server: Callable[[str], FakeForge]) -> None:
    server = forge_server(kind)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        server.port = gone.getsockname()[1]
    with pytest.raises(UserError, match="no answer") as caught:
        server.connect().open_pulls()
    assert "updates.forge.address" in caught.value.problems[0].hint
